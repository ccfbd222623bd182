// The API's reference: Swagger UI with the document of this origin, in the colours that the browser prefers.

const dark = matchMedia("(prefers-color-scheme: dark)");
const followColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

followColours();
dark.addEventListener("change", followColours);

window.SwaggerUIBundle({
  dom_id: "#reference",
  url: "openapi.json",
  deepLinking: true,
  displayOperationId: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  // The document stays on this origin: the default sends its address to validator.swagger.io.
  validatorUrl: null,
});
