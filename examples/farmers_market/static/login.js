// Lets people see the password they typed.
const field = document.querySelector("#password");
const button = document.querySelector("#show-password");

button.hidden = false;
button.addEventListener("click", () => {
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.textContent = shown ? "Show password" : "Hide password";
});
