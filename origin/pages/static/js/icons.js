// The pages' icons: 24 by 24 units, one path each, in the colour of the text.

import { svg } from "./dom.js";

const PATHS = {
  alert: "M12 3 1.8 20.5h20.4L12 3zm-1 6.5h2v5h-2v-5zm0 6.5h2v2h-2v-2z",
  back: "M12 5V1.5L6.5 6.5 12 11.5V8a5.5 5.5 0 1 1-5.5 5.5h-3A8.5 8.5 0 1 0 12 5z",
  broadcast:
    "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM7 7 5.6 5.6a9 9 0 0 0 0 12.8L7 17a7 7 0 0 1 0-10zm10 0a7 7 0 0 1 0 10l1.4 1.4a9 9 0 0 0 0-12.8L17 7z",
  check: "M9.2 16.6 4.6 12l-1.4 1.4 6 6L21 7.6l-1.4-1.4z",
  copy: "M8 3h11a2 2 0 0 1 2 2v11h-2V5H8V3zM5 7h9a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9c0-1.1.9-2 2-2zm0 2v10h9V9H5z",
  headphones:
    "M12 3a9 9 0 0 0-9 9v7a2 2 0 0 0 2 2h3v-8H5v-1a7 7 0 0 1 14 0v1h-3v8h3a2 2 0 0 0 2-2v-7a9 9 0 0 0-9-9z",
  fullscreen: "M4 9V4h5v2H6v3H4zm11-5h5v5h-2V6h-3V4zM4 15h2v3h3v2H4v-5zm14 0h2v5h-5v-2h3v-3z",
  fullscreenExit: "M9 4v5H4V7h3V4h2zm6 0h2v3h3v2h-5V4zM4 15h5v5H7v-3H4v-2zm11 0h5v2h-3v3h-2v-5z",
  lock: "M12 2a5 5 0 0 0-5 5v3H6a2 2 0 0 0-2 2v8c0 1.1.9 2 2 2h12a2 2 0 0 0 2-2v-8a2 2 0 0 0-2-2h-1V7a5 5 0 0 0-5-5zm0 2a3 3 0 0 1 3 3v3H9V7a3 3 0 0 1 3-3z",
  moon: "M12.5 3a9 9 0 1 0 8.5 12A7.5 7.5 0 0 1 12.5 3z",
  muted: "M4 9v6h4l5 5V4L8 9H4zm16.5 3 2-2-1.4-1.4-2 2-2-2L15.7 10l2 2-2 2 1.4 1.4 2-2 2 2 1.4-1.4-2-2z",
  pause: "M6 4.5h4v15H6v-15zm8 0h4v15h-4v-15z",
  pip: "M3 4h18a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zm1 2v12h16V6H4zm7 5h7v5h-7v-5z",
  play: "M7 4v16l13-8z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6V5z",
  reconnect:
    "M12 4a8 8 0 0 0-7.4 5h2.2a6 6 0 0 1 10-1.3L14 10.5h7v-7l-2.7 2.7A8 8 0 0 0 12 4zM3 13.5v7l2.7-2.7A8 8 0 0 0 19.4 15h-2.2a6 6 0 0 1-10 1.3l2.8-2.8H3z",
  search: "M10 3a7 7 0 1 0 4.3 12.5l5.1 5.1 1.4-1.4-5.1-5.1A7 7 0 0 0 10 3zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10z",
  settings: "M4 7h9v2H4V7zm13 0h3v2h-3v2h-2V5h2v2zM4 15h3v-2h2v6H7v-2H4v-2zm7 0h9v2h-9v-2z",
  share: "M12 2.5 17.5 8l-1.4 1.4-3.1-3V16h-2V6.4l-3.1 3L6.5 8 12 2.5zM5 11h3v2H6v7h12v-7h-2v-2h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z",
  volume:
    "M4 9v6h4l5 5V4L8 9H4zm11.5 3A4 4 0 0 0 14 8.7v6.6a4 4 0 0 0 1.5-3.3zM14 4.8v2.1a5.5 5.5 0 0 1 0 10.2v2.1a7.5 7.5 0 0 0 0-14.4z",
};

/** A new element of the icon `name`. Screen readers skip it and read the label of the element around it. */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name], fill: "currentColor" }),
  );
}
