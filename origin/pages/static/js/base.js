// The path below which the server's pages, API and media are: "/", or a prefix such as "/tv/". It follows from this
// file's own address, BASE/static/DIGEST/js/base.js.

export const BASE = new URL("../../../", import.meta.url).pathname;
