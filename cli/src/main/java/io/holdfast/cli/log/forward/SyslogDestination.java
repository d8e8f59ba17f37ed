package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.journal.Entry;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * A collector that receives syslog messages (RFC 5424) over TCP or TLS, with octet counting (RFC
 * 6587, 5425).
 *
 * <p>Such a collector sends no answers, and a broken connection does not tell how much of it was
 * read. So each batch is a connection of its own: the sender ends it, and the batch is delivered
 * when the collector has read all of it and ends the connection, too. The kernel of one that dies
 * before resets the connection. A collector that ends a connection in order without having read it
 * is believed.
 */
final class SyslogDestination implements Destination {
    private final String host;
    private final int port;
    private final boolean isTls;
    private final SSLContext trust;

    SyslogDestination(URI address, boolean isTls, SSLContext trust) {
        this.host = address.getHost();
        this.port = address.getPort();
        this.isTls = isTls;
        this.trust = trust;
    }

    @Override
    public Outcome send(List<Entry> batch) throws InterruptedException {
        long deadline = System.nanoTime() + ForwardLimits.ANSWER.duration().toNanos();
        try (Socket plain = new Socket()) {
            int most = left(deadline);
            plain.connect(new InetSocketAddress(host, port), most);
            plain.setSoTimeout(most);
            // a write to a collector that does not read has no timeout of its own
            Thread guard =
                    Thread.ofVirtual().start(() -> closeLater(plain, Duration.ofMillis(most)));
            try (Socket socket = isTls ? secured(plain) : plain) {
                OutputStream out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
                for (Entry entry : batch) {
                    byte[] message = SyslogText.of(entry).getBytes(UTF_8);
                    out.write((message.length + " ").getBytes(US_ASCII));
                    out.write(message);
                }
                out.flush();
                socket.shutdownOutput();
                awaitEnd(socket, deadline);
                return new Delivered(0, "");
            } finally {
                guard.interrupt();
            }
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return new Retry(e.toString(), Duration.ZERO);
        }
    }

    private static int left(long deadline) throws SocketTimeoutException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new SocketTimeoutException("the collector does not end the connection");
        }
        return (int) millis;
    }

    private static void closeLater(Socket socket, Duration after) {
        try (socket) {
            Thread.sleep(after);
        } catch (InterruptedException | IOException e) {
            // the batch was sent, or failed
        }
    }

    private Socket secured(Socket plain) throws IOException {
        SSLSocket socket =
                (SSLSocket) trust.getSocketFactory().createSocket(plain, host, port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // verifies the host's name
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** Reads, and ignores, what the collector sends until it ends the connection. */
    private static void awaitEnd(Socket socket, long deadline) throws IOException {
        byte[] ignored = new byte[512];
        try {
            do {
                socket.setSoTimeout(left(deadline));
            } while (socket.getInputStream().read(ignored) >= 0);
        } catch (SSLException e) {
            if (!(e.getCause() instanceof EOFException)) { // it ends without a close_notify
                throw e;
            }
        }
    }
}
