// Log lines that stay at their end while the reader is there, and hold still where the reader has scrolled up.

function cell(name, text, title) {
  const node = document.createElement(name === 'time' ? 'time' : 'span')
  if (name !== 'time') node.className = name
  node.textContent = text
  if (title) node.title = title
  return node
}

function line(entry, sources) {
  const row = document.createElement('p')
  row.className = entry.level
  row.append(cell('time', entry.at, entry.moment), cell('level', entry.level))
  if (sources) row.append(cell('source', entry.source, entry.source))
  row.append(cell('message', entry.message))
  return row
}

export default function (component) {
  const { data, parentElement } = component
  const box = parentElement.querySelector('.fm-log')
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24
  box.style.height = data.height + 'px'
  box.setAttribute('aria-label', data.title)
  box.replaceChildren(...data.lines.map((entry) => line(entry, data.sources)))
  if (!data.lines.length) box.append(Object.assign(document.createElement('p'), { className: 'none', textContent: data.none }))
  if (atEnd || !box.flowmlShown) box.scrollTop = box.scrollHeight
  box.flowmlShown = true
}
