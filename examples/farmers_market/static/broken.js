// The fault "javascript": a script that fails before it has done anything.
const settings = window.orchardLane;
document.querySelector("main").lang = settings.language.code;
