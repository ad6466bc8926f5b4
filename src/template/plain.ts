/** A text, or the path of a variable. */
type Piece = string | { readonly parts: readonly string[]; readonly name: string };

/** Returns the value of the only variable if there is nothing else; otherwise, text. */
export type RenderPlain = (
  variables: object,
  checked: Checked,
  textOf: (value: unknown) => unknown,
) => unknown;

/** Returns the value. @throws when it is undefined */
type Checked = (value: unknown, name: string) => unknown;

/**
 * A template that contains only text and variables, as most do; undefined if it contains anything else, such as a helper,
 * `this` or loop data. Compiling one with Handlebars takes longer than all its renderings in a run.
 */
export function plainTemplate(program: hbs.AST.Program): RenderPlain | undefined {
  const pieces: Piece[] = [];
  for (const statement of program.body) {
    const piece = pieceOf(statement);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  const [first] = pieces;
  if (pieces.length === 1 && typeof first === 'object')
    return (variables, checked) => checked(valueAt(variables, first.parts), first.name);
  return (variables, checked, textOf) => {
    let text = '';
    for (const piece of pieces) {
      text +=
        typeof piece === 'string'
          ? piece
          : String(textOf(checked(valueAt(variables, piece.parts), piece.name)));
    }
    return text;
  };
}

function pieceOf(statement: hbs.AST.Statement): Piece | undefined {
  if (statement.type === 'ContentStatement') return (statement as hbs.AST.ContentStatement).value;
  if (statement.type === 'CommentStatement') return '';
  if (statement.type !== 'MustacheStatement') return undefined;
  const { path, params } = statement as hbs.AST.MustacheStatement;
  if (params.length > 0 || path.type !== 'PathExpression') return undefined;
  const { data, depth, parts, original } = path as hbs.AST.PathExpression;
  if (data || depth > 0 || parts.length === 0 || isThis(original)) return undefined;
  return { parts, name: original };
}

/** Whether a path is `this` or starts with it. */
export function isThis(path: string): boolean {
  return /^this(?:[./]|$)/.test(path);
}

/** As Handlebars does: own properties only, also of texts and lists. A null on the way is the result. */
function valueAt(variables: unknown, parts: readonly string[]): unknown {
  let value = variables;
  for (const part of parts) {
    if (value === null || value === undefined) return value;
    const next = (value as Record<string, unknown>)[part];
    value = next === null || next === undefined || Object.hasOwn(value, part) ? next : undefined;
  }
  return value;
}
