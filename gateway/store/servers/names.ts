/**
 * Names and texts on their way into line protocol and back. A label value of line protocol can hold no newline and
 * mistakes a backslash, and a string field no newline: what they cannot hold is encoded, so that every name comes back
 * as it was and none can open a second point.
 */

// oxlint-disable-next-line no-control-regex
const unfitForLabel = /[\u0000-\u001f\u007f%\\]/g;
// oxlint-disable-next-line no-control-regex
const unfitForText = /[\u0000-\u001f\u007f\\]/g;

const hex = (char: string, digits: number): string =>
  char.charCodeAt(0).toString(16).toUpperCase().padStart(digits, '0');

/** Control characters, % and \ as %XX; the empty name is a single %. What is in metric codes stays as it is. */
export const encodeLabel = (name: string): string =>
  name === '' ? '%' : name.replace(unfitForLabel, (char) => `%${hex(char, 2)}`);

export const decodeLabel = (label: string): string =>
  label === '%'
    ? ''
    : label.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

/** A label value in line protocol. */
export const labelInLine = (name: string): string => encodeLabel(name).replace(/[, =]/g, '\\$&');

/** Control characters as \uXXXX, a backslash doubled; any other text stays as it is. */
export const encodeText = (text: string): string =>
  text.replace(unfitForText, (char) => (char === '\\' ? '\\\\' : `\\u${hex(char, 4)}`));

export const decodeText = (text: string): string =>
  text.replace(/\\(?:\\|u([0-9A-F]{4}))/g, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCharCode(parseInt(code, 16)),
  );

/** A string field in line protocol, with its quotes. */
export const textInLine = (text: string): string => `"${encodeText(text).replace(/["\\]/g, '\\$&')}"`;
