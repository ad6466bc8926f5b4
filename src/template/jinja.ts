/**
 * Matches Jinja statements by their keyword, because other text can contain the same delimiters.
 */
const STATEMENT =
  /\{%[-+]?\s*(if|elif|else|endif|for|endfor|set|endset|macro|endmacro|call|endcall|filter|endfilter|block|endblock|include|import|from|extends|raw|endraw|with|endwith|autoescape|do)\b[^{}]*?%\}/;
const COMMENT = /(?<!\{)\{#[^#}]*#\}/;
const MUSTACHE = /\{\{.*?\}\}/gs;

/** The first Jinja statement or comment in a text, which Handlebars would leave unchanged. */
export function jinjaIn(text: string): string | undefined {
  // Jinja syntax inside an expression is quoted text.
  const plain = text.replaceAll(MUSTACHE, '');
  return (STATEMENT.exec(plain) ?? COMMENT.exec(plain))?.[0];
}

/** Hints for Jinja expressions, in order of precedence. */
const expressions: [RegExp, string][] = [
  [/\|/, 'Use a helper instead of a filter: {{default x "y"}}, not {{ x | default("y") }}.'],
  [/\bif\b.*\belse\b/, 'Use {{ternary condition "this" "that"}}.'],
  [
    /[\w\])]\s*\[/,
    'Use {{list.[0]}} or {{map.key}}, or {{lookup map name}} if the key is in a variable.',
  ],
  [/[=!<>]=|[<>]/, 'Use a helper to compare: {{eq a b}}, {{ne a b}}, {{lt a b}}, {{gt a b}}.'],
  [/\b(and|or|in)\b/, 'Use a helper: {{and a b}}, {{or a b}}, {{in item list}}.'],
  [/\w\s*\(/, 'Use a helper: {{helper value}}. List the helpers with: runner doc helpers.'],
  [/~/, 'Use {{concat a b}} to join texts.'],
  [
    /[-+*/]/,
    'Use a helper to calculate: {{add a b}}, {{subtract a b}}, {{multiply a b}}, {{divide a b}}.',
  ],
];

/**
 * Hint for a Jinja expression that does not parse as Handlebars; undefined if it is not recognized.
 */
export function expressionHint(source: string): string | undefined {
  const inside = [...source.matchAll(/\{\{(?![#/!>])(.*?)\}\}/gs)].map(([, text = '']) =>
    text.replaceAll(/"[^"]*"|'[^']*'/g, '""'),
  );
  return expressions.find(([form]) => inside.some((text) => form.test(text)))?.[1];
}
