import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, type FaultCode } from '../model/fault.ts';
import { wordsOf } from './outcomes.ts';
import type { Problem } from './shapes/problem.ts';

/** A domain refusal on its way out: the word the service answered, or the fields it refused. */
export class Refusal extends Error {
  readonly outcome: string;
  readonly errors: readonly { readonly path: string; readonly cause: string }[];

  constructor(outcome: string, errors: readonly { path: string; cause: string }[] = []) {
    super(outcome);
    this.outcome = outcome;
    this.errors = errors;
  }
}

/**
 * What a service answered, or the refusal it stands for: 'absent' is the same 404 as something foreign, any other word
 * a 409, refused fields a 422. `what` is absent then; by itself it is what the route's own id names.
 */
export function settle<T>(
  answer: T,
  what?: string,
): Exclude<T, string | { readonly refused: readonly unknown[] }> {
  if (typeof answer === 'string') {
    if (answer === 'absent') throw new Fault('API_NOT_FOUND', { what });
    throw new Refusal(answer);
  }
  if (isRefused(answer)) throw new Refusal('refused', answer.refused.map(toFieldError));
  return answer as Exclude<T, string | { readonly refused: readonly unknown[] }>;
}

/** The same for a call that answers only words: everything but `done` is a refusal. */
export function mustBe(done: string, answer: string): void {
  if (answer !== done) settle(answer);
}

const isRefused = (answer: unknown): answer is { refused: readonly Record<string, string>[] } =>
  typeof answer === 'object' && answer !== null && 'refused' in answer && Array.isArray(answer.refused);
const toFieldError = (refused: Record<string, string>) => ({
  path: refused.path ?? refused.metric ?? '/',
  cause: refused.cause ?? 'refused',
});

/**
 * Everything that can go wrong becomes one problem document (RFC 9457) here and nowhere else. `what`: what the route's
 * own id is the id of, for a fault that does not say which one was not found.
 */
export function toProblem(error: unknown, what = 'route'): Problem {
  if (error instanceof Refusal) return ofRefusal(error);
  if (error instanceof Fault) {
    const unsaid = error.code === 'API_NOT_FOUND' && error.details['what'] === undefined;
    return ofFault(unsaid ? new Fault('API_NOT_FOUND', { what }) : error);
  }
  const seen = error as Partial<FastifyError>;
  if (seen.validation) {
    const errors = seen.validation.slice(0, 20).map((one) => ({
      path: `${seen.validationContext ?? 'request'}${one.instancePath}`,
      cause: one.message ?? one.keyword,
    }));
    const first = errors[0];
    const cause = first ? `${first.path} ${first.cause}` : 'invalid';
    return { ...ofFault(new Fault('API_REQUEST_INVALID', { cause })), errors };
  }
  switch (seen.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return ofFault(new Fault('API_CONTENT_TYPE'));
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return ofFault(new Fault('API_BODY_TOO_LARGE', { limit: bodyLimit }));
    default:
  }
  if (seen.statusCode === 404) return ofFault(new Fault('API_NOT_FOUND', { what }));
  if (seen.statusCode !== undefined && seen.statusCode >= 400 && seen.statusCode < 500)
    return ofFault(new Fault('API_REQUEST_INVALID', { cause: 'the request cannot be read' }));
  return ofFault(new Fault('API_BROKE'));
}

export const bodyLimit = 1_048_576;

const ofRefusal = ({ outcome, errors }: Refusal): Problem =>
  errors.length > 0
    ? { ...ofFault(new Fault('API_REFUSED', { count: errors.length })), outcome, errors: [...errors] }
    : { ...ofFault(ofOutcome(outcome)), outcome };

function ofOutcome(outcome: string): Fault {
  const { says, whatToDo } = wordsOf(outcome);
  return new Fault('API_OUTCOME', { outcome, says, next: whatToDo });
}

/** `/api/v1/encounters/:id/transfer` → encounter: what the id of a route is the id of. */
export function kindOf(url: string | undefined): string {
  const [, plural] = /\/([a-z-]+)\/:[a-z]+(?:\/[a-z/-]*)?$/i.exec(url ?? '') ?? [];
  return plural?.replace(/s$/, '') ?? 'ward, bed, device or stay';
}

const ofFault = (fault: Fault): Problem => ({
  type: `urn:vigil:problem:${fault.code.toLowerCase().replaceAll('_', '-')}`,
  title: fault.message,
  status: statusOf(fault),
  code: fault.code,
  whatToDo: fault.whatToDo,
});

const statusByCode: Partial<Record<FaultCode, number>> = {
  API_REQUEST_INVALID: 400,
  API_NOT_SIGNED_IN: 401,
  API_SIGN_IN_REFUSED: 401,
  API_NOT_ALLOWED: 403,
  API_ORIGIN: 403,
  API_NOT_FOUND: 404,
  API_OUTCOME: 409,
  API_BODY_TOO_LARGE: 413,
  API_CONTENT_TYPE: 415,
  API_REFUSED: 422,
  API_TOO_MANY: 429,
  API_SIGN_IN_LOCKED: 429,
};

/** A person's mistake is theirs, the world's is "try again later", ours is a 500. */
const statusOf = (fault: Fault): number =>
  statusByCode[fault.code] ?? { person: 422, world: 503, programmer: 500 }[fault.class];

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error, request.is404 ? 'route' : kindOf(request.routeOptions.url));
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'request failed');
  request.problemCode = problem.code;
  if (problem.status === 429)
    void reply.header('retry-after', problem.code === 'API_SIGN_IN_LOCKED' ? 600 : 60);
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}
