import './style.css';

const page = document.querySelector('#page');
page.textContent = `${import.meta.env.VITE_GREETING} from ${import.meta.env.VITE_PLACE}`;
import('./later.js').then(({ words }) => page.append(words));
