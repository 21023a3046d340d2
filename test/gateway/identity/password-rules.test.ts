import { expect, test } from 'vitest';
import { isWeak } from '../../../gateway/identity/password-rules.ts';

const weak = [
  '',
  'short',
  'elevenchars',
  'password1234',
  'Passw0rd2026',
  'P@ssw0rd!!!!',
  'passwordpassword',
  'hospital1234',
  'Vigil-Vigil-Vigil',
  'admin admin admin',
  'letmein12345',
  'welcome2026!!',
  'qwertyuiop12',
  '123456789012',
  'abcdefghijkl',
  'lkjhgfdsa098',
  'aaaaaaaaaaaa',
  'abababababab',
  'abcxyzabcxyz',
  'wangfang1980',
  'iloveyou1234',
  'x'.repeat(129),
];
test.each(weak)('%s is refused', (password) => {
  expect(isWeak(password, ['wang.fang', 'Wang Fang'])).toBe(true);
});

const strong = [
  'seven violet teapots',
  'correct horse battery staple',
  'k7#mQ2!vZ9@pL4',
  '我每天早上在河边慢慢走路看鱼',
  'der blaue Esel singt',
  'f3a91c7be20d5846',
  'the nurse fed nine grey geese',
  'x'.repeat(3) + 'riverbank lantern'.repeat(6),
];
test.each(strong)('%s is taken', (password) => {
  expect(isWeak(password, ['wang.fang', 'Wang Fang'])).toBe(false);
});
