// Swagger UI from our own files. "Try it out" works with the session of whoever reads, so the CSRF token goes along.
(() => {
  const place = document.getElementById("docs");
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  follow();
  dark.addEventListener("change", follow);
  new MutationObserver(follow).observe(root, { attributeFilter: ["data-theme"] });

  window.SwaggerUIBundle({
    url: `${place.dataset.schema}?format=json`,
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      const token = document.querySelector("[name=csrfmiddlewaretoken]");
      if (token && request.method !== "GET") request.headers["X-CSRFToken"] = token.value;
      return request;
    },
  });
})();
