// The map of a place, from shapes in metres that the page carries. It asks nobody for anything; the tables after it
// say the same, so without it nothing is missing.
const { L } = window
const whole = document.querySelector('[data-map]')
const said = document.getElementById('map-shapes')

const LEAST_VIEW = 250 // metres across: less would show a street without what is around it
const LEAST_VIEW_NARROW = 180 // or a phone would have no room for what stands in a square
const NARROW = 400 // pixels
const ROOM_FOR_BOTH = 64 // pixels that a square needs for its letter and its number; for its letter alone, the next
const ROOM_FOR_ONE = 26

const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches
const touched = window.matchMedia('(pointer: coarse)').matches // a finger that meets the map scrolls the page

const frame = (side, [north, east]) => [
  [north, east], [north, east + side], [north + side, east + side], [north + side, east]]

// Words are put in as text: what a partner wrote is never read as HTML.
const write = (text) => {
  const label = document.createElement('span')
  label.textContent = text
  return label
}

// A letter, and a number that is left out where a square is small.
const label = (letter, number) => {
  const both = write(letter)
  const count = write(`: ${number}`)
  count.className = 'ww-map__count'
  both.append(count)
  return both
}

const around = (shapes, least) => {
  const bounds = L.latLngBounds(shapes.flat())
  const { lat, lng } = bounds.getCenter()
  const reach = least / 2
  return bounds.extend([lat - reach, lng - reach]).extend([lat + reach, lng + reach])
}

const start = (box) => L.map(box, {
  crs: L.CRS.Simple, minZoom: -6, maxZoom: 2, zoomSnap: 0.25, zoomDelta: 0.5, attributionControl: false,
  scrollWheelZoom: false, dragging: !touched, boxZoom: !touched, inertia: !still, zoomAnimation: !still,
  fadeAnimation: !still, markerZoomAnimation: !still
})

const add = (map, corners, name) => L.polygon(corners, { className: `ww-map__${name}`, interactive: false }).addTo(map)

const draw = (map, shapes) => {
  shapes.wards.forEach((ward) => {
    add(map, ward.built.map((corner) => [frame(shapes.coarse, corner)]), 'built')
    const outline = add(map, ward.outline, 'ward')
    outline.bindTooltip(write(ward.name), { permanent: true, direction: 'center', className: 'ww-map__name' })
  })
  shapes.squares.forEach((square) => {
    add(map, frame(square.side, square.at), 'square').bindTooltip(
      label(square.letter, square.records), { permanent: true, direction: 'center', className: 'ww-map__label' })
  })
  add(map, shapes.place, 'place')
}

const addNorth = (map) => {
  const control = L.control({ position: 'topright' })
  control.onAdd = () => {
    const north = write('North \u2191')
    north.className = 'ww-map__north'
    return north
  }
  control.addTo(map)
}

if (L && whole && said) {
  const shapes = JSON.parse(said.textContent)
  const box = whole.querySelector('[data-map-box]')
  whole.hidden = false
  const map = start(box)
  const least = box.clientWidth < NARROW ? LEAST_VIEW_NARROW : LEAST_VIEW
  const views = {
    place: around([shapes.place, ...shapes.squares.map((square) => frame(square.side, square.at))], least),
    ward: around([shapes.place, ...shapes.wards.map((ward) => ward.outline)], least)
  }
  const hideCrowded = () => {
    const wide = shapes.finest * map.getZoomScale(map.getZoom(), 0)
    box.classList.toggle('ww-map__box--far', wide < ROOM_FOR_ONE)
    box.classList.toggle('ww-map__box--tight', wide < ROOM_FOR_BOTH)
  }
  map.on('zoomend', hideCrowded)
  let shown = views.place
  const show = (animate) => map.fitBounds(shown, { animate })
  show(false)
  draw(map, shapes)
  hideCrowded()
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map)
  addNorth(map)
  // Nothing in the drawing is said aloud: letters without their places would tell nobody anything.
  ;['overlayPane', 'tooltipPane'].forEach((pane) => map.getPane(pane).setAttribute('aria-hidden', 'true'))
  whole.querySelectorAll('[data-map-to]').forEach((button) => {
    button.addEventListener('click', () => {
      shown = views[button.dataset.mapTo]
      show(!still)
    })
  })
  new ResizeObserver(() => {
    if (map.getSize().equals([box.clientWidth, box.clientHeight])) return
    map.invalidateSize({ pan: false })
    show(false)
  }).observe(box)
  // On paper it keeps the size it was drawn for.
  window.addEventListener('beforeprint', () => {
    box.style.width = `${box.offsetWidth}px`
    box.style.height = `${box.offsetHeight}px`
  })
  window.addEventListener('afterprint', () => { box.style.width = box.style.height = '' })
}
