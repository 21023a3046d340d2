/** Twelve characters at least, 128 at most (so that hashing has a bound); no rule about kinds of characters. */
const shortest = 12;
const longest = 128;

/** What people reach for first; a password that is one of them with figures, signs or repeats around it is refused. */
const common = [
  'password',
  'passwort',
  'passphrase',
  'letmein',
  'welcome',
  'iloveyou',
  'sunshine',
  'princess',
  'football',
  'baseball',
  'superman',
  'starwars',
  'dragon',
  'monkey',
  'shadow',
  'master',
  'trustno',
  'whatever',
  'computer',
  'internet',
  'changeme',
  'default',
  'secret',
  'admin',
  'administrator',
  'root',
  'guest',
  'user',
  'test',
  'demo',
  'login',
  'hospital',
  'clinic',
  'nurse',
  'doctor',
  'patient',
  'ward',
  'monitor',
  'medical',
  'vigil',
  'summer',
  'winter',
  'spring',
  'autumn',
  'woaini',
  'mima',
] as const;

/** Keyboards and alphabets, in both directions, as runs are found in them. */
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qazwsxedcrfvtgbyhnujmikolp',
  'qwertzuiop',
];

const leet: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** True when it must not be taken: too short or long, one of the common ones, a run, a repeat, or the person's own name. */
export function isWeak(password: string, own: readonly string[] = []): boolean {
  const characters = [...password.normalize('NFKC').toLowerCase()];
  if (characters.length < shortest || characters.length > longest) return true;
  if (new Set(characters).size < 5) return true;
  const folded = characters.map((one) => leet[one] ?? one).join('');
  return [characters.join(''), folded].some((text) => isRepeat(text) || restIsShort(text, own));
}

/** The same piece twice or more: abcxyzabcxyz. */
const isRepeat = (text: string): boolean => (text + text).indexOf(text, 1) < text.length;

/** What is left when every common word, run, own name and trailing figure is taken out says too little. */
function restIsShort(text: string, own: readonly string[]): boolean {
  const names = own
    .flatMap((name) => name.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .filter((name) => name.length >= 3);
  let rest = text;
  for (const word of [...names, ...common].sort((a, b) => b.length - a.length))
    rest = rest.replaceAll(word, ' ');
  rest = withoutRuns(rest).replace(/[\d\s\p{P}\p{S}]/gu, '');
  const letters = text.replace(/[^\p{L}]/gu, '').length;
  return letters === 0 ? onlyFiguresAreRun(text) : rest.length < 5;
}

const onlyFiguresAreRun = (text: string): boolean => withoutRuns(text).replace(/\D/g, '').length < 8;

/** Takes out stretches of four or more that follow an alphabet, a keyboard row or counting, either way. */
function withoutRuns(text: string): string {
  const lines = [...rows, '01234567890'].flatMap((row) => [row, [...row].reverse().join('')]);
  let rest = text;
  for (const line of lines)
    for (let length = line.length; length >= 4; length--)
      for (let at = 0; at + length <= line.length; at++)
        rest = rest.replaceAll(line.slice(at, at + length), ' ');
  return rest;
}
