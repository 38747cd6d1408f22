const api = import.meta.env.VITE_API_URL ?? 'http://localhost:8000';

document.title = import.meta.env.VITE_APP_TITLE ?? document.title;
fetch(`${api}/api/v1/info`).then(async (answer) => {
  document.querySelector('#info')!.textContent = await answer.text();
});
