// The script of Kabar's pages. A page says what it wants in attributes, and this file does it:
//
//   body data-stream="/s"   follow the events of /s: each is HTML, and its elements are swapped in by their id
//   data-into="list"        an element that is not on the page yet is appended to #list
//   data-keep               …and one that is there already stays as it is (days between bubbles)
//   data-live="x"           …and one with the same x is left alone, whatever its state (a player)
//   data-order="7"          keeps its list sorted by this number, largest first
//   data-call="POST /a"     a form, button, link or checkbox that sends JSON: a form its fields (a.b nests), a button or a link its
//                           data-body, a checkbox its name and state; data-done is said when it is done. A field with
//                           data-json holds JSON, one with data-item the quantity of a product; files go to data-media
//   data-stay               what is sent does not close its dialog, until the answer has a reply_id
//   data-begun              a field that says, too, that nothing is in it
//   data-decides            a form that tells, too, when something in it changes: with stay, and not to be left by it
//   data-eager              a form that does not wait for its answer
//   data-go="/c/{wa_id}"    where a form leads when its call has been answered, with members of the answer
//   data-preview="/p"       a form that is sent to /p while it is filled in; the answer is HTML, swapped in as a stream's is
//   data-get="/more"        a button that is replaced by what /more answers
//   data-open="id"          opens the dialog #id            data-copy   copies the <pre> beside it
//   data-jump="id"          shows the element #id           data-view   shows a picture in full
//   data-filter="list"      an input that hides what does not match in #list
//   data-now                a link that is followed at once
//
// The second half is the chat: writing, answering, reacting, attaching, reading. Nothing is kept between pages.

const $ = (selector, root = document) => root.querySelector(selector)
const byID = (id) => document.getElementById(id)

// Swapping. A changed element is changed where it is, so that focus, open dialogs and playing sound survive.

function morph(old, fresh) {
  if (old.isEqualNode(fresh) || (old.dataset?.live && old.dataset.live === fresh.dataset?.live)) return
  const same = old.nodeName === fresh.nodeName && old.id === fresh.id && old.childNodes.length === fresh.childNodes.length
  if (!same && old.nodeType === Node.ELEMENT_NODE) return renew(old, fresh)
  if (!same) return old.replaceWith(fresh)
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue
    return
  }
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name)
  }
  if (old.type === "checkbox") old.checked = fresh.checked
  const children = [...fresh.childNodes]
  ;[...old.childNodes].forEach((child, i) => morph(child, children[i]))
}

// An element whose parts are others now is drawn anew. What is being written in a form that is still there, and where, stays.
function renew(old, fresh) {
  const forms = (root) => (root.matches("form[id]") ? [root] : [...root.querySelectorAll("form[id]")])
  const at = document.activeElement
  const writing = (form) => [...form.elements].filter((input) => input.matches("textarea, input:not([type=checkbox], [type=radio], [type=hidden])"))
  const again = []
  for (const form of forms(fresh)) {
    const before = forms(old).find(({ id }) => id === form.id)
    for (const input of before ? writing(before) : []) {
      const twin = writing(form).find(({ name }) => name && name === input.name)
      if (twin) twin.value = input.value
    }
    if (before?.contains(at)) again.push([form, at.name, at.type === "radio" && at.value, at.selectionStart, at.selectionEnd])
  }
  if (old.open && old.id === fresh.id) old.replaceChildren(...fresh.childNodes) // another one would be shut
  else old.replaceWith(fresh)
  for (const [form, name, value, from, to] of again) {
    const twin = [...form.elements].find((input) => name && input.name === name && (value === false || input.value === value))
    twin?.focus()
    if (from !== undefined && from !== null) twin?.setSelectionRange(from, to)
  }
}

function place(fresh) {
  const old = fresh.id && byID(fresh.id)
  if (old) {
    if (fresh.hasAttribute("data-keep")) return
    morph(old, fresh)
  } else if (fresh.dataset.into) {
    byID(fresh.dataset.into)?.append(fresh)
  }
  const now = byID(fresh.id)
  if (now?.dataset.order) sort(now)
}

function sort(element) {
  const order = (e) => Number(e.dataset.order)
  const next = [...element.parentNode.children].find((e) => e !== element && order(e) < order(element)) ?? null
  if (element.nextElementSibling !== next) element.parentNode.insertBefore(element, next)
}

function parse(html) {
  const box = document.createElement("template")
  box.innerHTML = html
  return box.content
}

function swap(html) {
  for (const element of [...parse(html).children]) place(element)
  document.dispatchEvent(new Event("swapped"))
}

// Streams. A hidden page lets go of its stream, for browsers allow only six to a server, and takes it up again where it
// left off; a lost connection is taken up by the browser itself.

function follow(url) {
  let source = null
  let last = ""
  const lost = (yes) => document.body.classList.toggle("offline", yes)
  const open = () => {
    if (source || document.hidden) return
    source = new EventSource(last ? `${url}${url.includes("?") ? "&" : "?"}last=${encodeURIComponent(last)}` : url)
    source.onopen = () => lost(false)
    source.onmessage = (event) => {
      last = event.lastEventId || last
      swap(event.data)
    }
    source.onerror = () => {
      lost(true)
      if (source?.readyState !== EventSource.CLOSED) return
      close()
      setTimeout(again, 3000)
    }
  }
  const again = async () => {
    const page = await fetch(location.href).catch(() => null)
    if (page && !$("textarea")?.value) location.reload() // a refused stream: the page itself says why
    else open()
  }
  const close = () => {
    source?.close()
    source = null
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()))
  addEventListener("pagehide", close)
  addEventListener("pageshow", open)
  open()
}

// Calls.

async function send(method, url, body, how) {
  const init = { method, ...how }
  if (body instanceof Blob) Object.assign(init, { body, headers: { "Content-Type": body.type || "application/octet-stream" } })
  else if (body) Object.assign(init, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } })
  const answer = await fetch(url, init)
  const text = await answer.text()
  if (!answer.ok) throw new Error(reason(text) || `${answer.status} ${answer.statusText}`)
  return text ? JSON.parse(text) : {}
}

function reason(text) {
  try {
    const { error, errors } = JSON.parse(text)
    const first = errors?.[0] ?? error
    return typeof first === "string" ? first : first.details || first.message || first.title
  } catch {
    return text.slice(0, 200)
  }
}

async function call(line, body, how) {
  const [method, url] = line.split(" ")
  try {
    return await send(method, url, body, how)
  } catch (fault) {
    tell(fault.message)
    return null
  }
}

// What is told stands above an open dialog, and within it, for what is outside is not read aloud then.
let telling
function tell(text) {
  const toast = byID("toast")
  ;($("dialog[open]") ?? document.body).append(toast)
  toast.textContent = text
  toast.showPopover()
  clearTimeout(telling)
  telling = setTimeout(() => toast.hidePopover(), 6000)
}

function fields(form) {
  const body = {}
  for (const input of form.elements) {
    const { item } = input.dataset
    if (item && Number(input.value)) (body.items ??= []).push({ product_retailer_id: item, quantity: Number(input.value) })
    if (!input.name || input.disabled || input.type === "file" || (input.type === "radio" && !input.checked)) continue
    if (input.type !== "checkbox" && input.value.trim() === "" && !("begun" in input.dataset)) continue
    put(body, input.name, value(input))
  }
  return body
}

function value(input) {
  if ("json" in input.dataset) return JSON.parse(input.value)
  if (input.multiple && input.selectedOptions) return [...input.selectedOptions].map((option) => option.value)
  return input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value
}

// A number in a path is a place in a list.
function put(body, name, value) {
  const path = name.split(".")
  const last = path.pop()
  const inner = path.reduce((o, key, i) => (o[key] ??= /^\d+$/.test(path[i + 1] ?? last) ? [] : {}), body)
  inner[last] = value
}

// Files of a form are uploaded first; their ids stand in the request.
async function complete(form) {
  const body = fields(form)
  for (const { name, files } of form.querySelectorAll("input[type=file]")) {
    if (files[0]) put(body, name, (await send("POST", form.dataset.media, files[0])).id)
  }
  return body
}

// A form that is eager is emptied at once, so that the next message can be written while this one is on its way; calls
// of such forms follow one another. Any other form waits for its answer.
let queue = Promise.resolve()
async function submit(form) {
  if ("eager" in form.dataset) {
    const body = fields(form)
    done(form)
    queue = queue.then(() => call(form.dataset.call, body))
    if (!(await queue)) form.dispatchEvent(new CustomEvent("unsent", { detail: body }))
    return
  }
  if (form.classList.contains("busy")) return
  const dialog = form.closest("dialog") // what is told meanwhile may put another form into it
  form.classList.add("busy")
  await deciding
  const answer = await complete(form).then((body) => call(form.dataset.call, body), (fault) => tell(fault.message))
  form.classList.remove("busy")
  if (!answer) return
  done(form)
  if (!("stay" in form.dataset) || answer.reply_id) dialog?.close()
  if (form.dataset.go) location.assign(form.dataset.go.replace(/{(\w+)}/g, (_, key) => encodeURIComponent(answer[key] ?? "")))
}

// What is chosen in a form may decide what else it asks: it is told in its order, and what has come of it is drawn as any change is.
let deciding = Promise.resolve()
document.addEventListener("change", ({ target: { form } }) => {
  if (!form || !("decides" in form.dataset)) return
  const body = { ...fields(form), stay: true }
  deciding = deciding.then(() => call(form.dataset.call, body))
})

// What a form would make, shown while it is filled in. The last answer asked for counts, and a broken one is as none.
let looking = 0
async function look(form) {
  const mine = ++looking
  const init = { method: "POST", body: JSON.stringify(fields(form)), headers: { "Content-Type": "application/json" } }
  const answer = await fetch(form.dataset.preview, init).catch(() => null)
  const text = await answer?.text()
  if (mine !== looking) return
  if (answer?.ok) swap(text)
}

let rest
document.addEventListener("input", ({ target: { form } }) => {
  if (!form?.dataset.preview) return
  clearTimeout(rest)
  rest = setTimeout(look, 250, form)
})

function done(form) {
  form.reset()
  form.dispatchEvent(new Event("sent"))
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.call) return
  event.preventDefault()
  submit(event.target)
})

document.addEventListener("change", async (event) => {
  const box = event.target
  if (box.type !== "checkbox" || !box.dataset.call) return
  if (!(await call(box.dataset.call, { [box.name]: box.checked }))) box.checked = !box.checked
})

document.addEventListener("click", async (event) => {
  const on = event.target.closest("button, a")
  const data = on?.dataset
  if (!data) return
  const dialog = on.closest("dialog")
  if (data.open) byID(data.open)?.showModal()
  if (data.jump) jump(byID(data.jump))
  if (data.view) view(data.view)
  if ("copy" in data) copy(on)
  if ("play" in data) play($("audio", on.parentNode))
  if (data.get) more(on)
  if (data.call && (await called(on))) {
    if (!("stay" in data)) dialog?.close()
    if (data.done) tell(data.done)
  }
})

// A link is opened by the browser, and told beside it: also when the page goes, or the middle button opens it.
function called(on) {
  return call(on.dataset.call, on.dataset.body && JSON.parse(on.dataset.body), { keepalive: on.nodeName === "A" })
}

document.addEventListener("auxclick", (event) => {
  const link = event.target.closest("a[data-call]")
  if (link && event.button === 1) called(link)
})

document.addEventListener("click", (event) => {
  if (event.target.nodeName === "DIALOG") event.target.close() // beside the sheet
})

function filter(input) {
  const wanted = input.value.trim().toLowerCase()
  for (const item of byID(input.dataset.filter).children) item.hidden = !item.textContent.toLowerCase().includes(wanted)
}

document.addEventListener("input", ({ target }) => target.dataset.filter && filter(target))
document.addEventListener("swapped", () => document.querySelectorAll("[data-filter]").forEach((input) => input.value && filter(input)))

function jump(element) {
  if (!element) return tell("It is further up: load earlier messages")
  element.scrollIntoView({ block: "center", behavior: "smooth" })
  element.classList.add("flash")
  setTimeout(() => element.classList.remove("flash"), 1500)
}

function view(url) {
  const viewer = byID("viewer")
  $("img", viewer).src = url
  viewer.showModal()
}

async function copy(button) {
  const pre = $("pre", button.parentNode)
  const label = $("span", button)
  try {
    await navigator.clipboard.writeText(pre.textContent)
    label.textContent = "Copied"
    setTimeout(() => (label.textContent = "Copy"), 2000)
  } catch {
    getSelection().selectAllChildren(pre) // no clipboard without https: the keyboard does it
  }
}

async function more(button) {
  const answer = await fetch(button.dataset.get)
  if (!answer.ok) return tell("Older messages could not be loaded")
  const fresh = parse(await answer.text())
  for (const element of fresh.children) byID(element.id)?.remove() // a day that was cut in two
  ;(button.closest("li") ?? button).replaceWith(fresh)
}

// Sound. Media events do not bubble, but they can be caught on their way down.

function progress({ target: audio }) {
  const player = audio.closest?.(".player")
  if (!player) return
  const seconds = Math.floor(audio.currentTime || audio.duration || 0)
  player.classList.toggle("playing", !audio.paused)
  $("time", player).textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
  $("input", player).value = audio.duration ? (100 * audio.currentTime) / audio.duration : 0
}

for (const name of ["loadedmetadata", "timeupdate", "play", "pause", "ended"]) document.addEventListener(name, progress, true)

function play(audio) {
  for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause()
  if (audio.paused) audio.play().catch(() => tell("This sound cannot be played here"))
  else audio.pause()
}

document.addEventListener("input", ({ target }) => {
  const audio = target.type === "range" && $("audio", target.parentNode)
  if (audio && audio.duration) audio.currentTime = (target.value / 100) * audio.duration
})

// The chat.

const thread = byID("thread")
const composer = byID("composer")
const writing = composer && $("textarea", composer)
const alive = ".msg[data-action]:not(.deleted)" // bubbles that something can be done with
const shown = () => !document.hidden && document.hasFocus() && thread?.checkVisibility()

let asked = "" // id of the bubble for which the call is out: reading one reads those before it
async function read() {
  const newest = [...thread.querySelectorAll("[data-unread]")].at(-1)
  if (!newest || newest.id === asked || !shown()) return
  asked = newest.id
  await send("POST", newest.dataset.action + "/read").catch(() => (asked = ""))
}

function answer(bubble) {
  const quote = byID("answering")
  $("input", quote).value = bubble.dataset.id
  $("span", quote).textContent = $(".text, .title, .note, .file b, .place b", bubble)?.textContent || "Attachment"
  quote.hidden = false
  writing.focus()
}

function unanswer() {
  byID("answering").hidden = true
  $("input", byID("answering")).value = ""
}

let told = 0 // when the business was last told that somebody writes
function typing() {
  if (Date.now() - told < 5000) return
  told = Date.now()
  send("POST", composer.dataset.typing).catch(() => {}) // a signal; nothing is lost without it
}

function menu(bubble, at) {
  const box = byID("menu")
  box.dataset.for = bubble.id
  $("[data-do=delete]", box).hidden = !bubble.classList.contains("out")
  box.showPopover()
  const { width, height } = box.getBoundingClientRect()
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`
  box.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`
  $("button", box).focus()
}

function act(button) {
  const bubble = byID(byID("menu").dataset.for)
  byID("menu").hidePopover()
  if (!bubble) return
  const { react, do: verb } = button.dataset
  if (react) call(`POST ${bubble.dataset.action}/react`, { emoji: react })
  if (verb === "reply") answer(bubble)
  if (verb === "copy") navigator.clipboard?.writeText($(".text, .title", bubble)?.textContent ?? "")
  if (verb === "forward") call(`POST ${bubble.dataset.action}/forward`)
  if (verb === "spread") call(`POST ${bubble.dataset.action}/forward`, { frequently_forwarded: true })
  if (verb === "delete") call(`DELETE ${bubble.dataset.action}`)
}

let attachment = null
function attach(file, kind) {
  attachment = { file, kind }
  const dialog = byID("attachment")
  const picture = $("img", dialog)
  picture.hidden = kind !== "image"
  if (kind === "image") picture.src = URL.createObjectURL(file)
  picture.onload = () => URL.revokeObjectURL(picture.src)
  $(".name", dialog).textContent = file.name
  $(".caption", dialog).hidden = kind === "audio"
  dialog.showModal()
}

async function upload(form) {
  const { file, kind } = attachment
  const content = {}
  if (kind !== "audio" && form.elements.caption.value) content.caption = form.elements.caption.value
  if (kind === "document") content.filename = file.name
  if (kind === "audio") content.voice = true
  form.classList.add("busy")
  try {
    const { id } = await send("POST", form.dataset.media, file)
    const quoted = $("input", byID("answering")).value
    const message = { to: form.elements.to?.value, type: kind, [kind]: { id, ...content } }
    if (quoted) message.context = { message_id: quoted }
    await send("POST", form.dataset.messages, message)
    form.reset()
    form.closest("dialog").close()
    unanswer()
  } catch (fault) {
    tell(fault.message)
  }
  form.classList.remove("busy")
}

function chat() {
  for (const name of ["focus", "pageshow"]) addEventListener(name, read)
  document.addEventListener("visibilitychange", read)
  document.addEventListener("swapped", read)
  read()

  let shift = false
  writing.addEventListener("keydown", (event) => {
    shift = event.shiftKey
    if (event.key === "Escape") unanswer()
  })
  writing.addEventListener("beforeinput", (event) => {
    if (event.inputType !== "insertLineBreak" || shift) return
    event.preventDefault()
    if (writing.value.trim()) submit(composer)
  })
  writing.addEventListener("input", typing)
  if (matchMedia("(hover: hover)").matches) writing.focus()
  writing.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files
    if (file?.type.startsWith("image/")) attach(file, "image")
  })
  composer.addEventListener("sent", () => {
    told = 0
    unanswer()
    byID("scroll").scrollTop = byID("scroll").scrollHeight
  })

  document.addEventListener("click", (event) => {
    const on = event.target.closest("[data-menu], [data-do], [data-react]")
    const tapped = event.pointerType === "touch" && !event.target.closest("button, a, input, video") && event.target.closest(".bubble")?.closest(alive)
    if (tapped) menu(tapped, tapped.getBoundingClientRect())
    if (!on) return
    if ("menu" in on.dataset) menu(on.closest(".msg"), on.getBoundingClientRect())
    else if (on.dataset.do === "unanswer") unanswer()
    else act(on)
  })
  thread.addEventListener("contextmenu", (event) => {
    const bubble = event.target.closest(alive)
    if (!bubble || event.target.closest("a, video")) return
    event.preventDefault()
    menu(bubble, new DOMRect(event.clientX, event.clientY, 0, 0))
  })
  thread.addEventListener("dblclick", (event) => {
    const bubble = event.target.closest(alive)
    if (bubble && !event.target.closest("button, a, input, video")) answer(bubble)
  })
  composer.addEventListener("unsent", ({ detail }) => (writing.value ||= detail.text.body))
  keys()
  swipe()

  document.addEventListener("change", (event) => {
    const input = event.target
    if (!input.dataset?.attach || !input.files.length) return
    attach(input.files[0], input.dataset.attach)
    input.value = ""
    byID("attach").hidePopover()
  })
  byID("attachment").addEventListener("submit", (event) => {
    if (!event.target.dataset.media) return
    event.preventDefault()
    upload(event.target)
  })
}

// Arrow keys walk over the bubbles, Enter opens the menu of one, R answers it.
function keys() {
  byID("scroll").addEventListener("keydown", (event) => {
    const on = event.target.closest(".msg")
    if (event.target !== on && event.target !== event.currentTarget) return
    const bubbles = [...thread.querySelectorAll(".msg")]
    const at = on ? bubbles.indexOf(on) : bubbles.length
    if (event.key === "ArrowUp") bubbles[Math.max(0, at - 1)]?.focus()
    else if (event.key === "ArrowDown") (bubbles[at + 1] ?? writing).focus()
    else if (event.key === "Enter" && on?.matches(alive)) menu(on, on.getBoundingClientRect())
    else if (event.key === "r" && on?.matches(alive)) answer(on)
    else return
    event.preventDefault()
  })
}

// A bubble that is pulled to the right is answered.
function swipe() {
  let start = null
  thread.addEventListener("touchstart", (event) => {
    const { clientX: x, clientY: y } = event.touches[0]
    const bubble = event.target.closest(alive)
    start = bubble && { bubble, x, y }
  }, { passive: true })
  thread.addEventListener("touchend", (event) => {
    const { clientX: x, clientY: y } = event.changedTouches[0]
    if (start && x - start.x > 60 && Math.abs(y - start.y) < 40) answer(start.bubble)
    start = null
  }, { passive: true })
}

$("[data-now]")?.click()
if (thread && composer) chat()
if (document.body.dataset.stream) follow(document.body.dataset.stream)
