import type { HqClient } from "../src/hq-client.ts";
import { waitFor } from "./waiting.ts";

interface BoardRow {
  readonly key: string;
  readonly visits: number;
  readonly orders: number;
  readonly heldOrders: number;
  readonly stops: { readonly planned: number; readonly visited: number; readonly notVisited: number };
  readonly completeness: {
    readonly standing: string;
    readonly completeTo: string | null;
    readonly owedEvents: number | null;
  };
}

const boardRow = async (hq: HqClient, rep: string) => {
  const board = (await hq.json("/v1/boards/today")) as { top: { sentence: string }; rows: BoardRow[] };
  return { sentence: board.top.sentence, row: board.rows.find(({ key }) => key === rep) };
};

/**
 * During the gap the board must not claim to know what the silent phone holds: its figures are complete to a moment
 * before the gap, and no planned stop counts as not visited.
 */
export async function boardIsHonest(
  hq: HqClient,
  rep: string,
  cutAt: string,
  say: (sentence: string) => void,
): Promise<boolean> {
  const { sentence, row } = await boardRow(hq, rep);
  say(`  Meanwhile the board at headquarters says: "${sentence}"`);
  if (row === undefined) return false;
  const { completeTo } = row.completeness;
  return row.visits === 0 && row.stops.notVisited === 0 && completeTo !== null && completeTo <= cutAt;
}

export async function boardIsComplete(
  hq: HqClient,
  rep: string,
  visits: number,
  say: (sentence: string) => void,
): Promise<boolean> {
  const isComplete = ({ row }: Awaited<ReturnType<typeof boardRow>>) =>
    row?.visits === visits && row.orders + row.heldOrders === visits && row.completeness.owedEvents === 0;
  const found = await waitFor("the board's figures", async () => {
    const now = await boardRow(hq, rep);
    return isComplete(now) ? now : null;
  }).catch(() => boardRow(hq, rep));
  say(`The board now says: "${found.sentence}"`);
  return isComplete(found);
}
