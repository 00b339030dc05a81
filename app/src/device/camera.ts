import { Camera } from "@capacitor/camera";
import { Capacitor } from "@capacitor/core";
import { isNative } from "./platform.ts";

/** In a browser the camera is a file input on the screen; in the installed app it is the phone's own. */
export const hasNativeCamera = isNative;

/** Opens the phone's camera. Answers null where the person took no picture. */
export async function takePicture(): Promise<Uint8Array | null> {
  let path: string | undefined;
  try {
    const picture = await Camera.takePhoto({ quality: 92, correctOrientation: true, saveToGallery: false });
    path = picture.webPath ?? (picture.uri === undefined ? undefined : Capacitor.convertFileSrc(picture.uri));
  } catch {
    // The plugin says by an exception that the person closed the camera or refused it.
    return null;
  }
  if (path === undefined) return null;
  const answer = await fetch(path);
  return new Uint8Array(await answer.arrayBuffer());
}
