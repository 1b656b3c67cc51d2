// A place to draw a digit: after each stroke the value is the picture, as a data address; "" where it was cleared.
const canvas = element.querySelector("canvas"), pen = canvas.getContext("2d");
let last = null;
const clear = () => { pen.fillStyle = "white"; pen.fillRect(0, 0, canvas.width, canvas.height); };
const draw = event => {
  const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
  const place = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  pen.beginPath();
  pen.moveTo(...(last || place));
  pen.lineTo(place[0] + 0.01, place[1]); // a tap is a dot: a line without length is none
  pen.stroke();
  last = place;
};
const tell = value => { props.value = value; trigger("input"); };
clear();
Object.assign(pen, { lineWidth: 22, lineCap: "round", strokeStyle: "black" });
canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); draw(event); });
canvas.addEventListener("pointermove", event => last && draw(event));
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => {
  if (!last) return;
  last = null;
  tell(canvas.toDataURL());
});
element.querySelector("button").addEventListener("click", () => { clear(); tell(""); });
