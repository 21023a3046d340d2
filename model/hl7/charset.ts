/** The characters of an HL7 v2 message (2.6 table 0211): what MSH-18 names, read by Node's own decoders. */
const labels: Readonly<Record<string, string>> = {
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  UTF8: 'utf-8',
  UNICODE: 'utf-8',
  ASCII: 'latin1',
  'ISO IR6': 'latin1',
  'ISO IR100': 'latin1',
  'GB 18030-2000': 'gb18030',
  'GB18030-2000': 'gb18030',
  GB18030: 'gb18030',
  GBK: 'gbk',
  GB2312: 'gbk',
  CP936: 'gbk',
  'BIG-5': 'big5',
  BIG5: 'big5',
  'ISO IR87': 'shift_jis',
  'ISO IR159': 'shift_jis',
  'SHIFT-JIS': 'shift_jis',
  'KS X 1001': 'euc-kr',
};

/** The decoder's label; undefined for a name nobody knows. */
export function charsetLabel(named: string): string | undefined {
  const name = named.trim().toUpperCase();
  const part = /^(?:ISO[ -]?)?8859[-/](\d{1,2})$/.exec(name)?.[1];
  if (part !== undefined) return part === '1' ? 'latin1' : `iso-8859-${part}`;
  return labels[name];
}

export interface DecodedText {
  readonly text: string;
  /** As named, or as guessed. */
  readonly charset: string;
  /** The name is not known, or bytes are none of that charset. */
  readonly doubtful: boolean;
}

/**
 * A whole message as text. MSH-18 stands in ASCII in every charset HL7 allows; a Chinese name before it may hold bytes
 * that look like delimiters, so it is looked for a second time in the text as GB 18030. Without MSH-18 the bytes are UTF-8 if
 * they can be, else GB 18030.
 */
export function decodeMessage(bytes: Uint8Array): DecodedText {
  const named = namedIn(latin1(bytes)) ?? namedIn(new TextDecoder('gb18030').decode(bytes));
  const label = named === undefined ? undefined : charsetLabel(named);
  if (label !== undefined) {
    const text = strictly(bytes, label);
    if (text !== undefined) return { text, charset: label, doubtful: false };
    return { text: new TextDecoder(label).decode(bytes), charset: label, doubtful: true };
  }
  const utf8 = strictly(bytes, 'utf-8');
  if (utf8 !== undefined) return { text: utf8, charset: 'utf-8', doubtful: named !== undefined };
  return { text: new TextDecoder('gb18030').decode(bytes), charset: 'gb18030', doubtful: true };
}

const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

/** MSH-18 where its first repetition names a charset that is known. */
function namedIn(text: string): string | undefined {
  const head = text.split(/[\r\n]/, 1)[0] ?? '';
  if (!head.startsWith('MSH')) return undefined;
  const field = head.split(head.charAt(3))[17] ?? '';
  const first = field.split(head.charAt(5) || '~')[0]?.trim() ?? '';
  return first === '' || charsetLabel(first) === undefined ? undefined : first;
}

function strictly(bytes: Uint8Array, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
