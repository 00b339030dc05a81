import { version } from "../package.json";

/** Name and version, as the phone states it to HQ in every claim. */
export const APP = `sampai-app/${version}`;
