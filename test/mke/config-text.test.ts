import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/mke/config-text.ts';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';

const toml = '[cluster_config]\r\n  cluster_name = "Zürich"\r\n';

function utf16(text: string, { big = false, mark = true } = {}): Buffer {
  const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
}

describe('decodeText()', () => {
  it.each([
    ['UTF-8', Buffer.from(toml)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${toml}`)],
    ['UTF-16, little endian', utf16(toml)],
    ['UTF-16, big endian', utf16(toml, { big: true })],
    ['UTF-16, little endian, no mark', utf16(toml, { mark: false })],
    ['UTF-16, big endian, no mark', utf16(toml, { big: true, mark: false })],
  ])('decodes %s', (_, bytes) => {
    const config = parseMke3Config(decodeText(bytes, 'mke3.toml'), 'mke3.toml');
    expect(config.text('cluster_config.cluster_name')).toBe('Zürich');
  });

  it.each([
    [Buffer.from('a = 1\nb = "M\xfcnchen"\n', 'latin1'), /not valid UTF-8 text/, 2, 7],
    [Buffer.from([0x1f, 0x8b, 8, 0]), /a gzip archive, not an MKE 3 configuration/, 1, 1],
    [Buffer.from('PK\x03\x04'), /a zip archive/, 1, 1],
  ])('refuses binary data with its position (%#)', (bytes, message, line, column) => {
    expect(() => decodeText(bytes, 'x')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(message) as string,
        at: { file: 'x', line, column },
      }) as Error,
    );
  });
});

describe('a file that is not an MKE 3 configuration', () => {
  it.each([
    ['', /^The file is empty/],
    ['\n# nothing\n', /^The file is empty/],
    [
      '{"errors":[{"code":"INVALID_AUTHENTICATION","message":"The client is not authenticated."}]}',
      /JSON error response of the API \(INVALID_AUTHENTICATION: The client is not authenticated\.\)/,
    ],
    ['{"message":"access denied"}', /JSON error response of the API \(access denied\)/],
    ['{"cluster_config":{"calico_kdd":true}}', /^This is JSON,/],
    ['{"cluster_config":', /incomplete JSON/],
    ['null\n', /^This is JSON,/],
    ['<html><head><title>502 Bad Gateway</title></head></html>', /HTML \("502 Bad Gateway"\)/],
    ['<?xml version="1.0"?><a/>', /^This is XML,/],
    ['HTTP/1.1 200 OK\r\n\r\n[auth]\r\nbackend = "managed"\r\n', /headers.*status 200 OK/],
    ['* Trying 10.0.0.1:443...\n< HTTP/2 401 \n', /verbose output of curl \(status 401\)/],
    ['curl: (7) Failed to connect\n', /error message of curl \(curl: \(7\) Failed to connect\)/],
    ['404 page not found\n', /the text "404 page not found"/],
    ['---\nkind: MkeConfig\n', /YAML \(kind MkeConfig\)/],
    ['-----BEGIN CERTIFICATE-----\n', /a certificate or key/],
  ])('%j is refused with its kind and the commands for the download', (text, message) => {
    expect(() => parseMke3Config(text, 'mke3.toml')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(message) as string,
        hint: expect.stringContaining('/api/ucp/config-toml') as string,
        at: { file: 'mke3.toml', line: 1, column: 1 },
      }) as Error,
    );
  });

  it('is refused without printing its login token', () => {
    const text = '{"auth_token":"s3cret-token"}';
    expect(() => parseMke3Config(text, 'x')).toThrow(/the JSON response to a login, not an/);
    expect(() => parseMke3Config(text, 'x')).not.toThrow(/s3cret-token/);
  });
});
