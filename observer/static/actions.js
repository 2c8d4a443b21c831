// Halt, abort and restart, if the server allows them, each after a question.

import { h, setText } from './dom.js';
import { nameOf } from './columns.js';

const verbs = {
  halt: 'It is asked to stop: it finishes the message in hand, and leaves its queue.',
  abort: 'It is torn down: its context ends, and what it has in hand may be lost.',
  restart: 'Its supervisor stops it in order, and starts it again. Its queue stays.',
};

export class Actions {
  constructor(actor) {
    this.actor = actor;
    this.result = h('span', { class: 'result', role: 'status' });
    const able = Object.keys(verbs).filter((verb) => verb !== 'restart' || actor.kind !== 'actor');
    this.buttons = able.map((verb) => h('button', { type: 'button', class: verb === 'abort' ? 'danger' : null, 'data-action': verb, onclick: () => this.#act(verb) }, capital(verb)));
    this.node = h('p', { class: 'actions buttons' }, ...this.buttons, this.result);
  }

  draw(ended) {
    for (const button of this.buttons) button.disabled = ended;
  }

  async #act(verb) {
    if (!(await confirmed(`${capital(verb)} ${nameOf(this.actor)}?`, verbs[verb], capital(verb)))) return;
    setText(this.result, 'asking\u2026');
    try {
      const response = await fetch(`actors/${this.actor.id}/${verb}`, { method: 'POST' });
      setText(this.result, response.status === 204 ? `${capital(verb)}: done.` : (await response.text()).trim() || `The server answers ${response.status}.`);
    } catch {
      setText(this.result, 'The server does not answer.');
    }
  }
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** confirmed asks, and says whether the answer was yes. */
function confirmed(question, consequence, yes) {
  const dialog = document.getElementById('confirm');
  setText(dialog.querySelector('#question'), question);
  setText(dialog.querySelector('#consequence'), consequence);
  setText(dialog.querySelector('[value=yes]'), yes);
  return new Promise((resolve) => {
    const click = (event) => {
      if (event.target.matches('button')) dialog.close(event.target.value);
    };
    dialog.returnValue = 'no';
    dialog.addEventListener('click', click);
    dialog.addEventListener('close', () => {
      dialog.removeEventListener('click', click);
      resolve(dialog.returnValue === 'yes');
    }, { once: true });
    dialog.showModal();
  });
}
