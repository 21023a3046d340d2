import type { Person } from '../../model/person.ts';
import { words } from './words.ts';

/** A problem document (RFC 9457) as the API answers it. */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
}
export type Answer<T> = { readonly body: T } | { readonly problem: Problem };

/** One call to the API of this gateway; never throws: a gateway that is away is a problem like others. */
export async function call<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Answer<T>> {
  try {
    const response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said: unknown = response.status === 204 ? undefined : await response.json();
    return response.ok ? { body: said as T } : { problem: said as Problem };
  } catch {
    return { problem: { code: 'away', title: words.gatewayAway } };
  }
}

export interface Session {
  readonly person: Person;
  readonly intendedUse: string;
  readonly demo: boolean;
}
