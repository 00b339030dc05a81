/** Why a relay or a command cannot start: a code for scripts, a sentence for people. The process ends with status 2. */
export const stopReasons = {
  "config.unreadable": "The configuration cannot be read.",
  "config.invalid": "The configuration has a value that cannot be used.",
  "folder.unusable": "The data folder cannot be made or written.",
  "folder.locked": "Another relay is working in this data folder.",
  "database.busy":
    "Another program holds the database in the data folder open, so the relay cannot settle what its last run wrote. Let it end, then start again.",
  "database.damaged":
    "The database in the data folder is damaged. sampai verify names what can still be read; restore a backup, and phones send again what it lacks.",
  "database.unsettled":
    "The database has a log beside it (relay.sqlite-wal) that can only be read where the folder can be written. Copy the whole folder to where it can be, and read it there.",
  "database.unreadable": "The database in the data folder cannot be opened to read.",
  "workspace.missing":
    "The data folder has a database and no workspace.json, which holds the key that its devices trust. Put the one of a backup there: with a new key it would be another workspace.",
  "workspace.unreadable": "The workspace file in the data folder cannot be read.",
  "workspace.foreign": "The database in the data folder is of another workspace than its workspace.json.",
  "head.unreadable":
    "The head file beside the data folder cannot be read. Move it away to start without it: then only phones can tell whether the folder is an old copy.",
  "head.foreign": "The head file beside the data folder is of another workspace. Name another one with --head-file.",
  "head.unusable":
    "The head file, which says outside the data folder how far the log has come, cannot be made or written. Name another one with --head-file.",
  "address.taken": "The address is in use by another process.",
  "address.unusable":
    "The relay cannot listen there: the address is not one of this machine, or not open to this user.",
  "relay.silent":
    "A relay works in this data folder and does not answer. It may be starting, stopping or stuck; what it was asked may still be done.",
} as const;

export type StopCode = keyof typeof stopReasons;

export class CannotStart extends Error {
  override readonly name = "CannotStart";
  readonly code: StopCode;
  readonly detail: string;
  constructor(code: StopCode, detail: string) {
    super(`${code}: ${stopReasons[code]} ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}
