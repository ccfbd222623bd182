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
let board = null;

function showTrouble(error) {
  if (error?.status === 401) return signOut("The token is no longer valid.");
  trouble.hidden = !error;
  if (error) setText(trouble, error.status === 0 ? "The server does not answer. Trying again…" : error.message);
}

function showLogin(message = "") {
  board?.stop();
  board = null;
  tally.textContent = "";
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
  let streams;
  try {
    streams = await api.streams();
  } catch (error) {
    showTrouble(error);
    if (error.status !== 401) setTimeout(() => showBoard(token), RETRY_MS);
    return;
  }
  showTrouble(null);
  board = new Board({ api, onTally: (text) => setText(tally, text), onTrouble: showTrouble });
  const signOutButton = h("button", { type: "button", class: "quiet", onclick: () => signOut("") }, "Sign out");
  actions.replaceChildren(board.create, signOutButton);
  main.replaceChildren(board.element);
  board.start(streams);
}

const token = recall(TOKEN);
if (token) showBoard(token);
else showLogin();
