// Sends files straight to the REST API, one after the other and in parts: they stream to disk, never lie in a
// page's memory, and go on after a cut.

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
      bar.value = total ? Math.min(1, done / total) : 0
      said.textContent = `${size(Math.min(done, total))} of ${size(total)}`
    },
    waits() { said.textContent = 'The connection broke; trying again' },
    reads() {
      bar.removeAttribute('value')
      said.textContent = 'Reading the table: columns, types, statistics'
    },
    choose(tables, job) {
      return new Promise((resolve, reject) => {
        const pick = Object.assign(document.createElement('span'), { className: 'pick' })
        const select = document.createElement('select')
        const read = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Read it' })
        select.setAttribute('aria-label', 'Table of ' + file.name + ' to read')
        select.append(...tables.map((table) => new Option(table, table)))
        said.textContent = `It holds ${tables.length} tables. Which one?`
        item.classList.add('asks')
        const done = () => { pick.remove(); item.classList.remove('asks') }
        read.onclick = () => { done(); resolve(select.value) }
        job.request = { abort: () => { done(); reject(new Cancelled()) } }
        pick.append(select, read)
        item.append(pick)
      })
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

class Refused extends Error {}
class Cancelled extends Error {}
class Cut extends Error {}

// One request: resolves with the answer, rejects with Refused (the studio said no), Cut or Cancelled.
function ask(job, method, path, { body = null, type = 'application/json', headers = {}, moved = null } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    job.request = request
    request.open(method, job.url + path)
    request.setRequestHeader('Content-Type', type)
    request.setRequestHeader('X-FlowML', '1')
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    if (moved) request.upload.onprogress = (event) => moved(event.loaded)
    request.onload = () => {
      if (request.status < 300) return resolve(request.status === 204 ? null : JSON.parse(request.responseText))
      reject(new Refused(words(request)))
    }
    request.onerror = () => reject(new Cut())
    request.onabort = () => reject(new Cancelled())
    request.send(body)
  })
}

const remembered = (file) => `flowml-upload:${file.name}:${file.size}:${file.lastModified}`

// Begins, or goes on with what was begun before a reload.
async function begin(job) {
  const known = localStorage.getItem(remembered(job.file))
  if (known) {
    try {
      return await ask(job, 'GET', '/uploads/' + known)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
  }
  const body = JSON.stringify({ name: job.file.name, size: job.file.size })
  const upload = await ask(job, 'POST', '/uploads', { body })
  localStorage.setItem(remembered(job.file), upload.id)
  return upload
}

// The checksum of a part as a header. Browsers compute it only for pages that came by HTTPS or from this machine.
async function checksum(part) {
  if (!crypto.subtle) return {}
  const digest = await crypto.subtle.digest('SHA-256', await part.arrayBuffer())
  return { 'X-Part-SHA256': [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
}

function cut(file, first, size) {
  const last = Math.min(first + size, file.size) - 1
  const part = file.slice(first, last + 1)
  const ready = checksum(part)
  ready.catch(() => {}) // told to whoever waits for it
  return { first, last, part, ready }
}

async function unlessCancelled(job, promise) {
  let cancelled = false
  job.request = { abort: () => { cancelled = true } }
  const value = await promise
  if (cancelled) throw new Cancelled()
  return value
}

async function sendParts(job, upload) {
  const { file } = job
  let next = null
  while (upload.received < file.size) {
    const { first, last, part, ready } = next?.first === upload.received ? next : cut(file, upload.received, upload.part_bytes)
    const checked = await unlessCancelled(job, ready)
    const headers = { 'Content-Range': `bytes ${first}-${last}/${file.size}`, ...checked }
    next = last + 1 < file.size ? cut(file, last + 1, upload.part_bytes) : null // read while this one is sent
    upload = await ask(job, 'PUT', '/uploads/' + upload.id, {
      body: part, // not its bytes: they would pass through the page once more
      type: 'application/octet-stream',
      headers,
      moved: (loaded) => job.row.moved(first + loaded, file.size),
    })
  }
  return upload
}

const WAITS = [500, 1000, 2000, 4000, 8000, 15000, 30000]

function rest(job, milliseconds) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    job.request = { abort: () => { clearTimeout(timer); reject(new Cancelled()) } }
  })
}

// Goes on where the studio says it is, as long as some bytes come between two cuts.
async function sendAll(job) {
  let upload = null
  let tried = 0
  let reached = -1
  for (;;) {
    try {
      upload = upload ? await ask(job, 'GET', '/uploads/' + upload.id) : await begin(job)
      job.upload = upload
      if (upload.received > reached) { reached = upload.received; tried = 0 }
      return await sendParts(job, upload)
    } catch (error) {
      if (!(error instanceof Cut) || tried >= WAITS.length) throw error
      job.row.waits()
      await rest(job, WAITS[tried++])
    }
  }
}

async function send(job) {
  try {
    job.row.moved(0, job.file.size)
    const upload = await sendAll(job)
    job.row.reads()
    const { tables } = await ask(job, 'GET', `/uploads/${upload.id}/tables`)
    const table = tables.length > 1 ? await job.row.choose(tables, job) : ''
    job.row.reads()
    const dataset = await ask(job, 'POST', `/uploads/${upload.id}/finish`, { body: JSON.stringify({ table }) })
    localStorage.removeItem(remembered(job.file))
    job.row.ended('done', 'Uploaded')
    job.uploaded({ id: dataset.id, name: dataset.name, alone: job.alone })
  } catch (error) {
    failed(job, error)
  }
}

function failed(job, error) {
  if (error instanceof Cut) {
    job.row.ended('failed', 'The connection to the studio broke.\nCheck that it runs, then choose the file again: it goes on where it was.')
    return
  }
  localStorage.removeItem(remembered(job.file))
  if (job.upload) ask(job, 'DELETE', '/uploads/' + job.upload.id).catch(() => {})
  job.row.ended('failed', error instanceof Cancelled ? 'Cancelled; nothing was stored.' : error.message)
}

async function pump() {
  const job = queue.shift()
  sending = Boolean(job)
  if (!job) return
  await send(job)
  pump()
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
