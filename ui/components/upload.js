// Sends files straight to the REST API, one after the other: they stream to disk and never lie in a page's memory.

const queue = []
let sending = false

const size = (bytes) => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  while (bytes >= 999.5 && i < 4) { bytes /= 1000; i++ }
  return (i && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)) + ' ' + units[i]
}

function row(list, file, cancel) {
  const item = document.createElement('li')
  const name = Object.assign(document.createElement('span'), { className: 'name', textContent: file.name })
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Cancel', onclick: cancel })
  const bar = Object.assign(document.createElement('progress'), { max: 1, value: 0 })
  const said = Object.assign(document.createElement('span'), { className: 'said', textContent: 'Waiting' })
  button.setAttribute('aria-label', 'Cancel the upload of ' + file.name)
  bar.setAttribute('aria-label', 'Upload of ' + file.name)
  item.append(name, button, bar, said)
  list.append(item)
  return {
    moved(done, total) {
      bar.value = total ? done / total : 0
      said.textContent = done < total ? `${size(done)} of ${size(total)}` : 'Reading the table: columns, types, statistics'
      if (done >= total) bar.removeAttribute('value')
    },
    ended(kind, text) {
      item.className = kind
      said.textContent = text
      if (kind === 'done') return button.remove()
      button.textContent = 'Dismiss'
      button.setAttribute('aria-label', 'Dismiss ' + file.name)
      button.onclick = () => item.remove()
    },
  }
}

function words(request) {
  try {
    const problem = JSON.parse(request.responseText)
    return [problem.detail, problem.advice].filter(Boolean).join('\n')
  } catch {
    return `The studio answered with status ${request.status}.\nTry again; the Logs page says more.`
  }
}

function send(job, next) {
  const request = new XMLHttpRequest()
  job.request = request
  request.open('PUT', job.url + '/' + encodeURIComponent(job.file.name))
  request.setRequestHeader('Content-Type', 'application/octet-stream')
  request.setRequestHeader('X-FlowML', '1')
  request.upload.onprogress = (event) => job.row.moved(event.loaded, event.total)
  request.upload.onload = () => job.row.moved(job.file.size, job.file.size)
  request.onload = () => {
    if (request.status >= 300) job.row.ended('failed', words(request))
    else {
      job.row.ended('done', 'Uploaded')
      const dataset = JSON.parse(request.responseText)
      job.uploaded({ id: dataset.id, name: dataset.name, alone: job.alone })
    }
    next()
  }
  request.onerror = () => {
    job.row.ended('failed', 'The connection to the studio broke; nothing was stored.\nCheck that it runs, then send the file again.')
    next()
  }
  request.onabort = () => { job.row.ended('failed', 'Cancelled; nothing was stored.'); next() }
  job.row.moved(0, job.file.size)
  request.send(job.file)
}

function pump() {
  const job = queue.shift()
  sending = Boolean(job)
  if (job) send(job, pump)
}

function take(files, list, data, uploaded) {
  for (const file of files) {
    const job = { file, url: data.url, uploaded, alone: files.length === 1 }
    job.row = row(list, file, () => {
      if (job.request) return job.request.abort()
      queue.splice(queue.indexOf(job), 1)
      job.row.ended('failed', 'Cancelled; nothing was stored.')
    })
    if (file.size === 0) job.row.ended('failed', 'The file is empty.\nChoose a file with a header line and at least one row.')
    else if (data.limit && file.size > data.limit) {
      job.row.ended('failed', `The file has ${size(file.size)}; the limit is ${size(data.limit)}.\nSend a Parquet file, or raise FLOWML_UPLOAD_LIMIT.`)
    } else queue.push(job)
  }
  if (!sending) pump()
}

const warn = (event) => { if (sending) event.preventDefault() }

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const drop = parentElement.querySelector('.fm-drop')
  const input = parentElement.querySelector('.fm-file')
  const list = parentElement.querySelector('.fm-files')
  drop.querySelector('.fm-drop-title').textContent = data.title
  drop.querySelector('.fm-drop-hint').textContent = data.hint
  input.accept = data.accept
  input.setAttribute('aria-label', data.title)
  const uploaded = (dataset) => setTriggerValue('uploaded', dataset)
  input.onchange = () => { take([...input.files], list, data, uploaded); input.value = '' }
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add('over') }
  drop.ondragleave = () => drop.classList.remove('over')
  drop.ondrop = (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    take([...event.dataTransfer.files], list, data, uploaded)
  }
  window.addEventListener('beforeunload', warn)
  return () => window.removeEventListener('beforeunload', warn)
}
