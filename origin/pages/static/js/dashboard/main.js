// The operator's dashboard: the sign-in form, then the board.

import { h, setText } from "../dom.js";
import { forget, recall, remember } from "../memory.js";
import { Api } from "./api.js";
import { Board } from "./board.js";
import { loginForm } from "./login.js";

const TOKEN = "token";
const RETRY_MS = 3000;

const main = document.getElementById("main");
const actions = document.getElementById("actions");
const tally = document.getElementById("tally");
const trouble = document.getElementById("trouble");
const notice = document.getElementById("notice");
let board = null;

function showTrouble(error) {
  if (error?.status === 401) return signOut("The token is no longer valid.");
  trouble.hidden = !error;
  if (error) setText(trouble, error.status === 0 ? "The server does not answer. Trying again…" : error.message);
}

function showState({ draining, warnings }) {
  const going = draining ? ["The server is being taken out of service: it accepts no new broadcasts."] : [];
  const notices = [...going, ...warnings];
  notice.hidden = notices.length === 0;
  setText(notice, notices.join(" · "));
}

function showLogin(message = "") {
  board?.stop();
  board = null;
  tally.textContent = "";
  notice.hidden = true;
  actions.replaceChildren();
  showTrouble(null);
  main.replaceChildren(
    loginForm({
      message,
      onToken: (token, lasting) => {
        remember(TOKEN, token, { lasting });
        showBoard(token);
      },
    }),
  );
}

function signOut(message) {
  forget(TOKEN);
  showLogin(message);
}

async function showBoard(token) {
  const api = new Api(token);
  let access, streams;
  try {
    [access, streams] = await Promise.all([api.access(), api.streams()]);
  } catch (error) {
    showTrouble(error);
    if (error.status !== 401) setTimeout(() => showBoard(token), RETRY_MS);
    return;
  }
  showTrouble(null);
  const onTally = (text) => setText(tally, text);
  board = new Board({ api, onTally, onTrouble: showTrouble, onState: showState });
  const signOutButton = h(
    "button",
    { type: "button", class: "quiet", title: `Token ${access.name}, scope ${access.scope}`, onclick: () => signOut("") },
    "Sign out",
  );
  const readOnly = h("span", { class: "muted", hidden: api.may("operate") }, "Read only");
  actions.replaceChildren(readOnly, board.create, signOutButton);
  main.replaceChildren(board.element);
  board.start(streams);
}

const token = recall(TOKEN);
if (token) showBoard(token);
else showLogin();
