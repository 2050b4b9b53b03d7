// The budget as a bar of its phases; the parts are kept between updates so that they grow smoothly.

function part(track, i) {
  while (track.children.length <= i) {
    track.append(Object.assign(document.createElement('div'), { className: 'fm-budget-part' }))
  }
  return track.children[i]
}

function entry(phase, colour) {
  const item = document.createElement('span')
  const dot = document.createElement('i')
  dot.style.background = colour
  item.append(dot, phase.name + ' ' + phase.text)
  return item
}

export default function (component) {
  const { data, parentElement } = component
  const find = (name) => parentElement.querySelector('.fm-budget-' + name)
  const colours = getComputedStyle(parentElement).getPropertyValue('--st-chart-categorical-colors').split(',')
  const track = find('track')
  const whole = Math.max(data.budget, data.phases.reduce((sum, phase) => sum + phase.seconds, 0)) || 1
  find('left').textContent = data.left
  find('right').textContent = data.right
  track.setAttribute('aria-label', data.alt)
  track.setAttribute('aria-valuenow', String(Math.min(100, Math.round(100 * data.used / whole))))
  track.setAttribute('aria-valuetext', data.left)
  data.phases.forEach((phase, i) => {
    const piece = part(track, i)
    piece.style.width = (100 * phase.seconds / whole) + '%'
    piece.style.background = colours[i % colours.length]
    piece.title = phase.name + ' ' + phase.text
  })
  while (track.children.length > data.phases.length) track.lastChild.remove()
  find('legend').replaceChildren(...(data.legend ? data.phases.map((phase, i) => entry(phase, colours[i % colours.length])) : []))
}
