// A page that exists only once its script has run: text, a lazily loaded part and an answer of the API.
import './style.css';

const app = document.querySelector('#app');
const line = (id, text) => {
  const p = document.createElement('p');
  p.id = id;
  p.textContent = text;
  app.append(p);
};

line('version', `Harbour, version ${__VERSION__}`);
const { tides } = await import('./tides.js');
line('lazy', tides());
const greeting = await (await fetch('/api/public')).json();
line('api', `API says ${greeting.says}`);
document.documentElement.dataset.ready = 'yes';
