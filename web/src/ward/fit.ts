import { computed, signal } from '@preact/signals';
import { bedsInOrder } from '../live/ward-state.ts';
import { columnsFor } from './columns.ts';

/** What the heading and the alarms leave for the beds, as shares of the window. */
const widthShare = 0.8;
const heightShare = 0.88;

const size = signal({ width: window.innerWidth, height: window.innerHeight });
window.addEventListener('resize', () => {
  size.value = { width: window.innerWidth, height: window.innerHeight };
});

/** Columns of the board now, for its style. */
export const columns = computed(() =>
  columnsFor(bedsInOrder.value.length, {
    width: size.value.width * widthShare,
    height: size.value.height * heightShare,
  }),
);
