// Copies the players, the charts and the API's reference that the pages load, with their licences, from node_modules to
// the directory that the origin serves. Run it after `npm ci --ignore-scripts`. The directory is deleted first, so no
// file of an older version remains.

import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const modules = new URL("./node_modules/", import.meta.url);
const vendor = new URL("../origin/pages/static/vendor/", import.meta.url);

const files = {
  "hls.min.js": "hls.js/dist/hls.min.js",
  "hls.worker.js": "hls.js/dist/hls.worker.js",
  "hls.LICENSE.txt": "hls.js/LICENSE",
  "dash.mediaplayer.min.js": "dashjs/dist/modern/umd/dash.mediaplayer.min.js",
  "dash.LICENSE.txt": "dashjs/LICENSE.md",
  "shaka-player.dash.js": "shaka-player/dist/shaka-player.dash-es2021.js",
  "shaka-player.LICENSE.txt": "shaka-player/LICENSE",
  "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
  "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
  "swagger-ui.LICENSE.txt": "swagger-ui-dist/LICENSE",
  "swagger-ui.NOTICE.txt": "swagger-ui-dist/NOTICE",
  "swagger-ui-bundle.LICENSE.txt": "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
  "uPlot.esm.js": "uplot/dist/uPlot.esm.js",
  "uPlot.min.css": "uplot/dist/uPlot.min.css",
  "uPlot.LICENSE.txt": "uplot/LICENSE",
};

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
for (const [name, source] of Object.entries(files)) {
  await copyFile(new URL(source, modules), new URL(name, vendor));
}
console.log(`${Object.keys(files).length} files in ${fileURLToPath(vendor)}`);
