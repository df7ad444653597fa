import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, GoalSubmission, GoalView, JsonObject, StoredTemplate, Template } from '../types.ts';
import type { Goals, SubmitOptions } from './goals.ts';

export interface Templates {
  /** One page. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<StoredTemplate>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<StoredTemplate, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(name: string, options?: CallOptions): Promise<StoredTemplate>;
  /** Creates or replaces it; what `get` gave may be put back. @throws ASTRA_TEMPLATE_INVALID with `faults` */
  put(template: Template & { readonly updatedAt?: string }, options?: CallOptions): Promise<StoredTemplate>;
  delete(name: string, options?: CallOptions): Promise<void>;
  /** Submits a goal from the template; `goal` takes what else a submission may have. */
  run(
    name: string,
    params?: JsonObject,
    options?: SubmitOptions & { readonly goal?: Omit<GoalSubmission, 'plan' | 'template'> },
  ): Promise<GoalView>;
}

const templatePath = (name: string) => `v1/templates/${encodeURIComponent(name)}`;

export function createTemplates(transport: Transport, goals: Pick<Goals, 'submit'>): Templates {
  return {
    list: (query = {}, options) => readPage(transport, 'v1/templates', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/templates', { ...query }, options),
    async get(name, { signal } = {}) {
      return (await transport.json<StoredTemplate>(templatePath(name), { signal })).body;
    },
    async put({ name, updatedAt: _, ...definition }, { signal } = {}) {
      const request = { method: 'PUT', body: definition, signal } as const;
      return (await transport.json<StoredTemplate>(templatePath(name), request)).body;
    },
    async delete(name, { signal } = {}) {
      await transport.json(templatePath(name), { method: 'DELETE', signal });
    },
    run: (name, params = {}, { goal = {}, ...options } = {}) =>
      goals.submit({ ...goal, template: { name, params } }, options),
  };
}
