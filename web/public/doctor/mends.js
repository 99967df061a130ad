// The lines that mend a chain of proxies: those of deploy/doctor/mends.py.

const mend = (where, line) => ({ where, line })
const NGINX = 'nginx, location /api/consume-stream'
const INGRESS = 'Ingress (ingress-nginx), annotation'

export const DOCTOR_ON = [mend('environment of both services', 'REJOIN_DOCTOR=on')]
export const BUFFERING = [
  mend(`every ${NGINX}`, 'proxy_buffering off;'),
  mend('or at an nginx behind another one', 'proxy_pass_header X-Accel-Buffering;'),
  mend(INGRESS, 'nginx.ingress.kubernetes.io/proxy-buffering: "off"'),
]
export const COMPRESSION = [mend(NGINX, 'gzip off;'), mend('nginx: take text/event-stream out of', 'gzip_types')]
export const HTTP_2 = [
  mend('nginx before 1.25.1', 'listen 443 ssl http2;'),
  mend('nginx from 1.25.1 on, beside listen 443 ssl;', 'http2 on;'),
]
export const IDLE = [
  mend(NGINX, 'proxy_read_timeout 1h;'),
  mend(INGRESS, 'nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"'),
]
export const CLOCK = [
  mend('on the host whose clock is wrong', 'timedatectl set-ntp true'),
  mend('or', 'chronyc makestep'),
]
