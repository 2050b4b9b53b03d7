// Draws one figure and keeps it: Plotly.react updates the node in place, so a zoom survives and nothing flickers.

const NARROW = 480, LINE = 20  // pixels
const SCRIPT = '/flowml/plotly.min.js'

function loadPlotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly)
  window.flowmlPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = SCRIPT
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => { window.flowmlPlotly = undefined; reject(new Error('no plotly')) }
    document.head.appendChild(script)
  })
  return window.flowmlPlotly
}

const BRIGHTEST = 105  // of 255, on which white can be read: 5 to 1

function deep(colour) {
  if (!/^#[0-9a-f]{6}$/i.test(colour)) return colour
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
  const brightness = 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]
  const less = Math.min(1, BRIGHTEST / brightness)
  return `rgb(${parts.map((part) => Math.round(part * less)).join(', ')})`
}

function palette(element) {
  const css = getComputedStyle(element)
  const value = (name) => css.getPropertyValue(name).trim()
  const colours = {
    '@text': value('--st-text-color'),
    '@muted': value('--st-gray-text-color'),
    '@grid': value('--st-border-color'),
    '@primary': value('--st-primary-color'),
    '@surface': value('--st-background-color'),
    '@deep': deep(value('--st-primary-color')),
    '@soft': value('--st-secondary-background-color'),
  }
  value('--st-chart-categorical-colors').split(',').forEach((colour, i) => { colours['@' + i] = colour.trim() })
  return { colours, font: value('--st-font') }
}

// Only where a colour stands: a class may well be called "@text".
function painted(node, colours, isColour = false) {
  if (typeof node === 'string') return isColour ? colours[node] ?? node : node
  if (Array.isArray(node)) return isColour || typeof node[0] === 'object' ? node.map((n) => painted(n, colours, isColour)) : node
  if (!node || typeof node !== 'object') return node
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, painted(value, colours, isColour || /color/i.test(key))]))
}

const plain = (value) => typeof value !== 'string' ? value
  : value.replaceAll('<br>', '; ').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

function csvCell(value) {
  const text = value === null || value === undefined ? '' : String(plain(value))
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text
  return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe
}

const csvText = (rows) => '\ufeff' + rows.map((row) => row.map(csvCell).join(',')).join('\n')

const moment = (value) => typeof value === 'number' ? new Date(value).toISOString() : value

// The numbers of a chart: its own table, or what its traces hold.
export function csvOf(data) {
  if (data.table.columns) return csvText([data.table.columns, ...data.table.rows])
  const axis = (name) => data.layout[name]?.title?.text || name[0]
  const told = (name, value) => data.layout[name]?.type === 'date' ? moment(value) : value
  const rows = [['series', axis('xaxis'), axis('yaxis'), 'value', 'spread', ...data.more]]
  for (const trace of data.traces) {
    const xs = trace.x ?? [], ys = trace.y ?? [], spread = (trace.error_x ?? trace.error_y)?.array
    const put = (x, y, value, i) => {
      if (x === null && y === null) return
      const more = data.more.map((_, place) => [trace.customdata?.[i]].flat()[place])
      rows.push([trace.name ?? '', told('xaxis', x), told('yaxis', y), value, spread?.[i], ...more])
    }
    if (trace.z) ys.forEach((y, i) => xs.forEach((x, j) => put(x, y, trace.z[i][j], -1)))
    else for (let i = 0; i < Math.max(xs.length, ys.length); i++) put(xs[i], ys[i], trace.text?.[i], i)
  }
  const filled = rows[0].map((_, i) => rows.some((row, j) => j > 0 && row[i] !== '' && row[i] !== undefined))
  return csvText(rows.map((row) => row.filter((_, i) => filled[i])))
}

function save(data) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([csvOf(data)], { type: 'text/csv' }))
  link.download = data.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-') + '.csv'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

// On a narrow screen the names of a legend stand below each other: the plot shall not pay for them.
function room(data, width) {
  const named = data.layout.showlegend ? data.traces.filter((trace) => trace.showlegend !== false).length : 0
  return data.height + (width && width < NARROW ? LINE * Math.max(0, named - 3) : 0)
}

export default function (component) {
  const { parentElement } = component
  const data = JSON.parse(new TextDecoder().decode(component.data))
  const figure = parentElement.querySelector('.fm-chart')
  const plot = figure.querySelector('.fm-chart-plot')
  figure.querySelector('.fm-chart-title').textContent = data.title
  figure.querySelector('.fm-chart-note').textContent = data.note
  const button = figure.querySelector('.fm-chart-save')
  button.setAttribute('aria-label', 'Download the numbers of: ' + data.title)
  button.onclick = () => save(data)
  plot.setAttribute('role', 'figure')
  plot.setAttribute('aria-label', data.alt)
  const height = room(data, plot.offsetWidth)
  plot.style.height = height + 'px'
  loadPlotly().then((Plotly) => {
    const { colours, font } = palette(figure)
    const layout = {
      autosize: true, height, uirevision: 'kept',
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: font, color: colours['@text'], size: 12 },
      hoverlabel: { bgcolor: colours['@soft'], bordercolor: colours['@grid'], font: { family: font, color: colours['@text'] } },
      modebar: { bgcolor: 'rgba(0,0,0,0)', color: colours['@muted'], activecolor: colours['@primary'] },
      ...painted(data.layout, colours),
    }
    const config = {
      responsive: true, displaylogo: false, showSendToCloud: false,
      modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
    }
    if (!plot.querySelector('.main-svg')) plot.replaceChildren()  // words that stood for a drawing that failed
    Plotly.react(plot, painted(data.traces, colours), layout, config)
    if (!plot.flowmlObserver) {
      plot.flowmlObserver = new ResizeObserver(() => { if (plot.isConnected && plot.offsetWidth) Plotly.Plots.resize(plot) })
      plot.flowmlObserver.observe(plot)
    }
  }).catch(() => { plot.textContent = data.alt })
  return () => {
    plot.flowmlObserver?.disconnect()
    window.Plotly?.purge(plot)
  }
}
