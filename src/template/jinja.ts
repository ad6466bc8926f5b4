/** Words that begin a statement of Jinja. Other text between the same signs means something else. */
const STATEMENT =
  /\{%[-+]?\s*(if|elif|else|endif|for|endfor|set|endset|macro|endmacro|call|endcall|filter|endfilter|block|endblock|include|import|from|extends|raw|endraw|with|endwith|autoescape|do)\b[^{}]*?%\}/;
const COMMENT = /(?<!\{)\{#[^#}]*#\}/;
const MUSTACHE = /\{\{.*?\}\}/gs;

/** The first statement or comment of Jinja in a text, which would be left standing there; undefined when there is none. */
export function jinjaIn(text: string): string | undefined {
  // What stands in an expression is quoted there on purpose.
  const plain = text.replaceAll(MUSTACHE, '');
  return (STATEMENT.exec(plain) ?? COMMENT.exec(plain))?.[0];
}

/** What stands in the place of expressions of Jinja, in the order in which they are looked for. */
const expressions: [RegExp, string][] = [
  [/\|/, 'Filters are helpers here: {{default x "y"}}, not {{ x | default("y") }}.'],
  [/\bif\b.*\belse\b/, 'One of two values is {{ternary condition "this" "that"}}.'],
  [
    /[\w\])]\s*\[/,
    'An element is {{list.[0]}} or {{map.key}}, with any other name {{lookup map name}}.',
  ],
  [/[=!<>]=|[<>]/, 'Comparisons are helpers: {{eq a b}}, {{ne a b}}, {{lt a b}}, {{gt a b}}.'],
  [/\b(and|or|in)\b/, 'These are helpers: {{and a b}}, {{or a b}}, {{in item list}}.'],
  [/\w\s*\(/, 'What is called is a helper, {{helper value}}: see runner doc helpers.'],
  [/~/, 'Texts are put together by {{concat a b}}.'],
  [/[-+*/]/, 'Sums are helpers: {{add a b}}, {{subtract a b}}, {{multiply a b}}, {{divide a b}}.'],
];

/** How an expression that does not parse is written here; undefined where that is not known. */
export function expressionHere(source: string): string | undefined {
  const inside = [...source.matchAll(/\{\{(?![#/!>])(.*?)\}\}/gs)].map(([, text = '']) =>
    text.replaceAll(/"[^"]*"|'[^']*'/g, '""'),
  );
  return expressions.find(([form]) => inside.some((text) => form.test(text)))?.[1];
}
