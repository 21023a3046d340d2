import type { FastifySchemaCompiler, FastifySchemaValidationError, FastifySerializerCompiler } from 'fastify';
import { Compile } from 'typebox/compile';
import type { TSchema } from 'typebox';
import { Fault } from '../model/fault.ts';
import { openShape } from './shapes/shape.ts';

/**
 * Bodies are taken as they are: null is not 0 and "80" is not 80. Query and path arrive as text, so there (and only
 * there) numbers and booleans are read from it.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const properties = (schema as { properties?: Record<string, TextSchema> }).properties ?? {};
  return (given: unknown) => {
    const value = httpPart === 'body' ? given : readText(given, properties);
    if (check.Check(value)) return { value };
    return { error: check.Errors(value) as FastifySchemaValidationError[] };
  };
};

interface TextSchema {
  readonly type?: string;
}

/** A number is written in figures and a boolean as true or false; what is neither stays text and is refused. */
function readText(given: unknown, properties: Record<string, TextSchema>): unknown {
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, text]: [string, unknown]) => [
      name,
      readOne(text, properties[name]?.type),
    ]),
  );
}

function readOne(text: unknown, type: string | undefined): unknown {
  if (typeof text !== 'string') return text;
  if ((type === 'integer' || type === 'number') && /^-?\d{1,16}(\.\d{1,16})?$/.test(text))
    return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/**
 * What leaves fits its schema or does not leave: a NaN, a text where a number belongs or an undeclared field is our
 * error (500 API_RESPONSE_INVALID), never a silent null. Only paths go into the fault, no values.
 */
export const serializerCompiler: FastifySerializerCompiler<TSchema> = ({ schema, url, method }) => {
  const check = Compile(schema);
  const open = JSON.stringify(schema).includes(openShape);
  return (data: unknown) => {
    if (!check.Check(data)) {
      const first = check.Errors(data)[0];
      const at = first ? `${first.instancePath || '/'} ${first.message}` : '/';
      throw new Fault('API_RESPONSE_INVALID', { route: `${method} ${url}`, at });
    }
    return open ? JSON.stringify(data, finiteOnly(`${method} ${url}`)) : JSON.stringify(data);
  };
};

/** Shapes that are open by nature (driver settings, what a test saw) are walked for numbers JSON cannot say. */
const finiteOnly =
  (route: string) =>
  (key: string, value: unknown): unknown => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new Fault('API_RESPONSE_INVALID', { route, at: `/…/${key} must be number` });
    return value;
  };
