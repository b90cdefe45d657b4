import { TOOLS_IMAGE } from "../../cluster/whole/images.ts";

export const MARK = "a pod was here";

/** Answers every request with MARK, over IPv4 and IPv6. */
const SERVER = `
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"${MARK}")
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 8080), Handler).serve_forever()
`;

const labels = { app: "web" };

/** Two pods and a Service for them, on both families and on a port of the node. */
export const WEB = [
  {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              ...{ name: "web", image: TOOLS_IMAGE, imagePullPolicy: "Never" },
              command: ["python3", "-c", SERVER],
              readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
              resources: { limits: { memory: "64Mi", cpu: "500m" } },
            },
          ],
        },
      },
    },
  },
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web" } },
    spec: {
      ...{ type: "NodePort", ipFamilyPolicy: "RequireDualStack", selector: labels },
      ports: [{ port: 80, targetPort: 8080, nodePort: 30_080 }],
    },
  },
];
