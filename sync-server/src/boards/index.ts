import type { Board } from "./board.ts";
import { today } from "./today.ts";

/** Every board there is. A new one is a file and a line here. */
export const boards: readonly Board[] = [today];

export const boardByName = (name: string): Board | undefined => boards.find(({ board }) => board === name);
