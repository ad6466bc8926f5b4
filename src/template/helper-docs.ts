import type { Controller } from './controller-helpers.ts';

/** What a helper is for, and an expression with what it gives; tests render each. Variables: x, list, map. */
export interface HelperDoc {
  summary: string;
  example: string;
  gives: unknown;
}

/** Variables of the examples. */
export const exampleVariables = {
  x: 'Ab c',
  list: ['b', 'a', 'b'],
  nodes: [
    { name: 'm1', role: 'manager' },
    { name: 'w1', role: 'worker' },
  ],
  map: { a: 1, b: 2 },
};

/** The controller of the examples. */
export const exampleController: Controller = {
  startedAt: new Date('2026-03-01T22:00:00Z'),
  env: (name) => (name === 'HOME' ? '/root' : undefined),
  file: (name) => `content of ${name}\n`,
};

function doc(summary: string, example: string, gives: unknown): HelperDoc {
  return { summary, example, gives };
}

export const helperDocs: Record<string, HelperDoc> = {
  default: doc(
    'The value, or another one where it is missing or empty.',
    '{{default missing "none"}}',
    'none',
  ),
  required: doc(
    'The value; an error with the given words where it is missing.',
    '{{required x "x is needed"}}',
    'Ab c',
  ),
  json: doc('The value as JSON.', '{{json map}}', '{"a":1,"b":2}'),
  pretty_json: doc(
    'The value as JSON on several lines.',
    '{{pretty_json list}}',
    '[\n  "b",\n  "a",\n  "b"\n]',
  ),
  from_json: doc('What JSON says.', '{{from_json "[1]"}}', [1]),
  yaml: doc('The value as YAML.', '{{yaml map}}', 'a: 1\nb: 2'),
  from_yaml: doc('What YAML says.', '{{from_yaml "a: 1"}}', { a: 1 }),
  toml: doc('The map as TOML.', '{{toml map}}', 'a = 1\nb = 2'),
  indent: doc(
    'All lines but the first, moved to the right.',
    '{{indent (yaml map) 4}}',
    'a: 1\n    b: 2',
  ),
  join: doc('A list as text.', '{{join list "-"}}', 'b-a-b'),
  split: doc('A text as a list.', '{{split "a,b" ","}}', ['a', 'b']),
  lines: doc('The lines of a text that are not empty.', '{{lines (yaml map)}}', ['a: 1', 'b: 2']),
  lower: doc('In small letters.', '{{lower x}}', 'ab c'),
  upper: doc('In capital letters.', '{{upper x}}', 'AB C'),
  trim: doc('Without blanks at both ends.', '{{trim "  a "}}', 'a'),
  concat: doc('Texts put together.', '{{concat x "!" }}', 'Ab c!'),
  replace: doc('One text for another, everywhere.', '{{replace x " " "_"}}', 'Ab_c'),
  regex_replace: doc(
    'What a regular expression matches, replaced; $1 is its first group.',
    '{{regex_replace x "([a-z]) " "$1-"}}',
    'Ab-c',
  ),
  b64encode: doc('As Base64.', '{{b64encode x}}', 'QWIgYw=='),
  b64decode: doc('What Base64 says.', '{{b64decode "QWIgYw=="}}', 'Ab c'),
  sha256: doc(
    'SHA-256 in hex.',
    '{{sha256 ""}}',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ),
  quote: doc('One word for a POSIX shell.', '{{quote x}}', "'Ab c'"),
  basename: doc('Last part of a path.', '{{basename "/etc/app/x.conf"}}', 'x.conf'),
  dirname: doc('All but the last part of a path.', '{{dirname "/etc/app/x.conf"}}', '/etc/app'),
  merge: doc(
    'Maps put together; later ones go over earlier ones.',
    '{{merge map (from_json "{\\"b\\":3}")}}',
    { a: 1, b: 3 },
  ),
  keys: doc('Names in a map.', '{{keys map}}', ['a', 'b']),
  values: doc('Values in a map.', '{{values map}}', [1, 2]),
  entries: doc('A map as a list of key and value.', '{{entries map}}', [
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ]),
  from_entries: doc('The opposite of entries.', '{{from_entries (entries map)}}', { a: 1, b: 2 }),
  first: doc('First item.', '{{first list}}', 'b'),
  last: doc('Last item.', '{{last list}}', 'b'),
  length: doc('How many items, names or letters.', '{{length list}}', 3),
  sort: doc('In order.', '{{sort list}}', ['a', 'b', 'b']),
  reverse: doc('From the end.', '{{reverse (list 1 2)}}', [2, 1]),
  unique: doc('Each item once.', '{{unique list}}', ['b', 'a']),
  flatten: doc('Lists in a list as one.', '{{flatten (list (list 1) 2)}}', [1, 2]),
  without: doc('All items but one.', '{{without list "b"}}', ['a']),
  map: doc('A helper applied to each item.', '{{map list "upper"}}', ['B', 'A', 'B']),
  pluck: doc('One value of each map in a list.', '{{pluck nodes "name"}}', ['m1', 'w1']),
  where: doc(
    'The maps in a list whose value is the given one.',
    '{{pluck (where nodes "role" "worker") "name"}}',
    ['w1'],
  ),
  list: doc('A list of what is given.', '{{list 1 "a"}}', [1, 'a']),
  range: doc(
    'Whole numbers from the first up to, and without, the second.',
    '{{range 0 3}}',
    [0, 1, 2],
  ),
  zip: doc('Lists side by side.', '{{zip (list 1 2) (list "a" "b")}}', [
    [1, 'a'],
    [2, 'b'],
  ]),
  product: doc(
    'Every item of one list with every item of another.',
    '{{product (list 1 2) (list "a")}}',
    [
      [1, 'a'],
      [2, 'a'],
    ],
  ),
  get: doc('A value by its name, also deeper.', '{{get nodes 0 "name"}}', 'm1'),
  add: doc('Sum.', '{{add 1 2 3}}', 6),
  subtract: doc('Difference.', '{{subtract 3 1}}', 2),
  multiply: doc('Product.', '{{multiply 2 3}}', 6),
  divide: doc('Quotient.', '{{divide 6 4}}', 1.5),
  min: doc('Smallest number.', '{{min 3 1 2}}', 1),
  max: doc('Largest number.', '{{max 3 1 2}}', 3),
  int: doc('A whole number from text, what is behind the point left out.', '{{int "8.5"}}', 8),
  bool: doc('true for true, "true", "yes", "on", "1" and 1.', '{{bool "yes"}}', true),
  string: doc('The value as text.', '{{string 8}}', '8'),
  eq: doc('The same.', '{{eq 1 1}}', true),
  ne: doc('Not the same.', '{{ne 1 1}}', false),
  lt: doc('Less.', '{{lt 1 2}}', true),
  le: doc('Less, or the same.', '{{le 2 2}}', true),
  gt: doc('More.', '{{gt 1 2}}', false),
  ge: doc('More, or the same.', '{{ge 2 2}}', true),
  and: doc('All of them.', '{{and true false}}', false),
  or: doc('One of them.', '{{or true false}}', true),
  not: doc('The opposite.', '{{not true}}', false),
  in: doc('Whether an item is in a list, or a text in a text.', '{{in "a" list}}', true),
  env: doc(
    'A variable of the runner’s own environment, on the controller; an error where it is missing and no other value follows. It is not masked: secrets are inputs with "secret: true".',
    '{{env "HOME"}}',
    '/root',
  ),
  file: doc(
    'Text of a file of the controller, in "files/" of the role or beside the playbook, without the line end at its end.',
    '{{file "motd"}}',
    'content of motd',
  ),
  date: doc(
    'When the run began, in UTC and in the words of strftime(3): the same for all steps, hosts and a resumed run. Seconds since 1970 behind it stand for another time.',
    '{{date "%Y-%m-%d %H:%M"}}',
    '2026-03-01 22:00',
  ),
  version: doc(
    'Whether versions stand in an order: ==, !=, <, <=, > or >=. What is behind the dotted numbers is left out.',
    '{{version "1.30.9+k0s.0" ">=" "1.30"}}',
    true,
  ),
  ternary: doc('One of two values, by a condition.', '{{ternary true "yes" "no"}}', 'yes'),
};
