import { effect } from '@preact/signals';
import { render } from 'preact';
import { ring } from '../sound.ts';
import { activeAlarms, ringing, silentForMs } from '../live/ward-state.ts';
import { words } from '../words.ts';
import { WardPage } from './ward-page.tsx';

const root = document.getElementById('ward');
if (root) render(<WardPage />, root);

// The sound follows the alarms, whatever is drawn. At 15 s of silence the page itself is the alarm (CLINICAL 7).
const toneAfterMs = 15_000;
effect(() => {
  const silent = silentForMs.value >= toneAfterMs;
  ring(silent && ringing.value !== 'high' ? 'medium' : ringing.value);
});

// The count is seen on the tab when another page is in front.
effect(() => {
  const count = activeAlarms.value.length;
  document.title = `${count > 0 ? `▲ ${count} · ` : ''}${words.product} · ${words.ward.toLowerCase()}`;
});
