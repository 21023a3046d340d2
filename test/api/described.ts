import type { App } from '../../api/server.ts';

export interface Described {
  /** `POST /api/v1/beds/{id}/monitoring` */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Empty: everybody. */
  readonly roles: readonly string[];
  readonly query: readonly { readonly name: string; readonly type: string | undefined }[];
  readonly hasBody: boolean;
}

interface Operation {
  readonly 'x-roles'?: readonly string[];
  readonly parameters?: readonly { in: string; name: string; schema?: { type?: string } }[];
  readonly requestBody?: unknown;
}

/** Every route, read from the API's own description. */
export async function describedRoutes(app: App): Promise<readonly Described[]> {
  const document = (await app.inject('/api/docs/json')).json<{
    paths: Record<string, Record<string, Operation>>;
  }>();
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase() as Described['method'],
      path,
      roles: operation['x-roles'] ?? [],
      query: (operation.parameters ?? [])
        .filter((one) => one.in === 'query')
        .map((one) => ({ name: one.name, type: one.schema?.type })),
      hasBody: operation.requestBody !== undefined,
    })),
  );
}
