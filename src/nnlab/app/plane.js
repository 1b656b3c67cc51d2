// The plane of codes: click or drag; the value {x, y, shown} goes to Python, which answers with the digit.
let dragged = false;
const follow = event => {
  const box = element.querySelector(".plane").getBoundingClientRect(), reach = props.reach;
  const along = (place, start, length) => Math.min(1, Math.max(0, (place - start) / length)) * 2 - 1;
  const x = reach * along(event.clientX, box.left, box.width), y = -reach * along(event.clientY, box.top, box.height);
  props.value = { ...props.value, x, y };
  trigger("input");
};
element.addEventListener("pointerdown", event => { dragged = true; element.setPointerCapture(event.pointerId); follow(event); });
element.addEventListener("pointermove", event => dragged && follow(event));
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { dragged = false; });
