import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const API = import.meta.env.VITE_API_URL ?? 'http://localhost:8000';

function App() {
  const [greeting, setGreeting] = useState('');
  const [called, setCalled] = useState('');
  const [echo, setEcho] = useState('');
  useEffect(() => {
    fetch('/api/greeting').then((r) => r.json()).then((answer) => setGreeting(answer.greeting));
    fetch(`${API}/api/greeting`).then((r) => r.json()).then((answer) => setCalled(answer.greeting));
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws/echo`);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = (message) => setEcho(message.data);
    return () => socket.close();
  }, []);
  return (
    <main>
      <h1 id="where">{location.pathname}</h1>
      <p id="greeting">{greeting}</p>
      <p id="called">{called}</p>
      <p id="echo">{echo}</p>
    </main>
  );
}

createRoot(document.getElementById('root')).render(<App />);
