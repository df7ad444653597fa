import Mustache from 'mustache';

/**
 * Mustache over plain data. The library's own look-up goes through prototypes and calls what it finds there
 * (`{{constructor}}`), which a template from a model must not get at: here a name means a property of the data's own.
 */
export function renderMustache(template: string, data: unknown): string {
  // A writer of its own: the library's keeps every template it has ever parsed.
  const writer = new Mustache.Writer();
  writer.unescapedValue = ([, name = ''], context) => show(context.lookup(name));
  return writer.render(template, contextOf(data), undefined, { escape: show });
}

function contextOf(view: unknown, parent?: Mustache.Context): Mustache.Context {
  const context = new Mustache.Context(view, parent);
  context.push = (inner: unknown) => contextOf(inner, context);
  context.lookup = (name) => {
    if (name === '.') return view;
    const found = find(view, name.split('.'));
    const value: unknown = found ? found.value : parent?.lookup(name);
    return value;
  };
  return context;
}

function find(view: unknown, path: readonly string[]): { readonly value: unknown } | undefined {
  let value = view;
  for (const name of path) {
    if (value === null || value === undefined) return undefined;
    // Boxed, a string has its length.
    const holder = Object(value) as Readonly<Record<string, unknown>>;
    if (!Object.hasOwn(holder, name)) return undefined;
    value = holder[name];
  }
  return { value };
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
