// Small lines of how something was in the last minutes, each with its name and its value now.

const SPACE = 'http://www.w3.org/2000/svg'

function shape(kind, className, attributes) {
  const node = document.createElementNS(SPACE, kind)
  node.setAttribute('class', className)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  return node
}

function drawing(points) {
  const svg = shape('svg', '', { viewBox: '0 0 100 30', preserveAspectRatio: 'none', 'aria-hidden': 'true' })
  svg.append(shape('line', 'base', { x1: 0, x2: 100, y1: 30, y2: 30 }))
  // A stretch ends where nothing was heard for a while.
  for (const stretch of points) {
    const path = stretch.map(([x, y]) => `${(100 * x).toFixed(2)},${(30 - 29 * y).toFixed(2)}`)
    if (path.length < 2) continue
    const [first, last] = [path[0].split(',')[0], path[path.length - 1].split(',')[0]]
    svg.append(shape('polygon', 'area', { points: `${first},30 ${path.join(' ')} ${last},30` }))
    svg.append(shape('polyline', 'line', { points: path.join(' ') }))
  }
  return svg
}

function figure(spark) {
  const node = document.createElement('figure')
  if (spark.warm) node.className = 'warm'
  const caption = document.createElement('figcaption')
  for (const name of ['label', 'value']) {
    caption.append(Object.assign(document.createElement('span'), { className: name, textContent: spark[name] }))
  }
  node.title = spark.title
  node.append(caption, drawing(spark.stretches))
  return node
}

export default function (component) {
  const { data, parentElement } = component
  parentElement.querySelector('.fm-sparks').replaceChildren(...data.sparks.map(figure))
}
