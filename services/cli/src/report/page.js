// Runs in the reader's browser, inside the report, with no network. Greys out what a higher threshold would not have
// believed, and counts again. All numbers come from attributes that the report wrote.

const slider = document.querySelector('#threshold');
const shown = document.querySelector('#threshold-value');
const cards = new Map([...document.querySelectorAll('details[data-incident]')].map((card) => [card.id, card]));
const steps = new Map([...cards].map(([id, card]) => [id, JSON.parse(card.dataset.steps)]));
const commands = [...document.querySelectorAll('.command[data-command]')];
const pages = [...document.querySelectorAll('tr[data-page]')];

/** When an incident would have opened, ms; `undefined`: never. */
const openedAt = (id, threshold) => steps.get(id)?.find(([, score]) => score >= threshold)?.[0];

function lengthText(ms) {
  const minutes = Math.round(ms / 60_000);
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function say(name, text) {
  for (const place of document.querySelectorAll(`[data-count="${name}"]`)) place.textContent = text;
}

function showLead(place, leadMs) {
  place.textContent =
    leadMs === undefined
      ? 'not seen'
      : `${lengthText(Math.abs(leadMs))} ${leadMs >= 0 ? 'before' : 'after'} your pager`;
  place.classList.toggle('early', leadMs !== undefined && leadMs >= 0);
  place.classList.toggle('late', leadMs === undefined || leadMs < 0);
}

function showIncidents(threshold) {
  let open = 0;
  for (const [id, card] of cards) {
    const atMs = openedAt(id, threshold);
    if (atMs !== undefined) open += 1;
    for (const each of document.querySelectorAll(`[data-incident="${id}"]`))
      each.classList.toggle('below', atMs === undefined);
    const first = openedAt(id, Number(slider.min));
    const moved = card.querySelector('[data-moved]');
    moved.hidden = atMs === undefined || first === undefined || atMs <= first;
    if (!moved.hidden) moved.textContent = `opens ${lengthText(atMs - first)} later`;
    const lead = card.querySelector('[data-lead]');
    if (lead !== null) showLead(lead, atMs === undefined ? undefined : Number(lead.dataset.lead) - atMs);
    const y = `${((4 + (1 - threshold) * 88) / 96) * 100}%`;
    const cut = card.querySelector('[data-cut]');
    cut.setAttribute('y1', y);
    cut.setAttribute('y2', y);
  }
  say('incidents', String(open));
}

function showCommands(threshold) {
  let issued = 0;
  for (const command of commands) {
    const atMs = openedAt(command.closest('details[data-incident]').id, threshold);
    const isIssued = atMs !== undefined && atMs <= Number(command.dataset.at);
    if (isIssued) issued += 1;
    for (const each of document.querySelectorAll(`[data-command="${command.dataset.command}"]`))
      each.classList.toggle('below', !isIssued);
  }
  say('commands', String(issued));
}

function showPages(threshold) {
  const leads = [];
  for (const page of pages) {
    const atMs = openedAt(page.dataset.page, threshold);
    const leadMs = atMs === undefined ? undefined : Number(page.dataset.at) - atMs;
    if (leadMs !== undefined) leads.push(leadMs);
    showLead(page.querySelector('.tag'), leadMs);
    page.querySelector('.opened-at').textContent =
      atMs === undefined ? '-' : new Date(atMs).toISOString().slice(11, 19);
  }
  for (const mark of document.querySelectorAll('g[data-page]')) {
    mark.classList.toggle('unseen', openedAt(mark.dataset.page, threshold) === undefined);
  }
  leads.sort((a, b) => a - b);
  const median = leads[Math.floor((leads.length - 1) / 2)];
  say('seen', String(leads.length));
  say('lead', median === undefined ? '-' : `${lengthText(Math.abs(median))} ${median >= 0 ? 'earlier' : 'later'}`);
}

function show() {
  const threshold = Number(slider.value);
  shown.textContent = threshold.toFixed(2);
  showIncidents(threshold);
  showCommands(threshold);
  showPages(threshold);
}

/** `#inc-…` opens that incident, `#threshold=0.85` sets the slider: both can be sent to somebody. */
function follow() {
  const target = decodeURIComponent(location.hash.slice(1));
  const card = cards.get(target);
  if (card !== undefined) card.open = true;
  if (target.startsWith('threshold=')) slider.value = target.slice('threshold='.length);
  show();
}

slider.addEventListener('input', () => {
  history.replaceState(null, '', `#threshold=${slider.value}`);
  show();
});
addEventListener('hashchange', follow);
follow();
