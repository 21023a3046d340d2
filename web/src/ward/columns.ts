/** Columns that leave each of `count` tiles the most room for its figures: a tile is best about as high as wide. */
export function columnsFor(count: number, room: { readonly width: number; readonly height: number }): number {
  let best = { columns: 1, fits: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const fits = Math.min(room.width / columns, room.height / rows);
    if (fits > best.fits) best = { columns, fits };
  }
  return best.columns;
}
