import { Geolocation, type Position } from "@capacitor/geolocation";
import type { Place } from "@sampai/engine";
import { isNative } from "./platform.ts";

const TIMEOUT_MS = 10_000;
/** A fix this old still says where somebody stands in front of a store. */
const MAXIMUM_AGE_MS = 15_000;

/**
 * Where this phone is, or why nobody knows. Location belongs to the working day: outside it the sensor is not asked.
 * Never throws and never takes longer than ten seconds, so that no visit waits for a satellite.
 */
export async function takePlace(working: boolean): Promise<Place> {
  if (!working) return { missing: "outside-working-day" };
  if (!isNative && !("geolocation" in navigator)) return { missing: "off" };
  // The plugin has its own time limit; this one also covers a permission question that nobody answers.
  const limit = new Promise<Place>((resolve) => setTimeout(() => resolve({ missing: "timeout" }), TIMEOUT_MS));
  return Promise.race([ask(), limit]);
}

async function ask(): Promise<Place> {
  try {
    const options = { enableHighAccuracy: true, timeout: TIMEOUT_MS - 500, maximumAge: MAXIMUM_AGE_MS };
    return placeFrom(await Geolocation.getCurrentPosition(options));
  } catch (error) {
    return { missing: whyMissing(error) };
  }
}

function placeFrom(position: Position): Place {
  const { latitude, longitude, accuracy } = position.coords;
  return {
    lat: latitude,
    lon: longitude,
    accuracy: Math.max(0, accuracy),
    age: Math.max(0, Math.round(Date.now() - position.timestamp)),
    // Neither the web nor this plugin says which sensor answered, or whether somebody faked it: `mock` false means not seen.
    provider: isNative ? "fused" : "browser",
    mock: false,
  };
}

/** The web's error codes (W3C Geolocation), and the plugin's own. */
function whyMissing(error: unknown): "denied" | "timeout" | "off" {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 1 || code === "OS-PLUG-GLOC-0003") return "denied";
  if (code === 3 || code === "OS-PLUG-GLOC-0010") return "timeout";
  return "off";
}
