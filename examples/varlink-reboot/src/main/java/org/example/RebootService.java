package org.example;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.Call;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * A Varlink service that all users may call, and that asks the machine's authority whether the
 * caller is authorized: {@code java -jar varlink-reboot.jar SOCKET}.
 *
 * <p>The authority receives the caller's pidfd and the user who connected. If there is no answer,
 * the call is refused.
 */
public final class RebootService {
    private static final String ACTION = "org.example.reboot";

    private static final int EVERYBODY = 0666;
    private static final int BACKLOG = 64;

    private static final Interface DEFINITION =
            Interface.parse(
                    """
                    interface org.example.Reboot
                    # Starts a unit anew.
                    method Reboot(unit: string) -> ()
                    """);

    private final Authority authority = Authority.connect();

    private RebootService() {}

    static void main(String[] arguments) throws InterruptedException {
        RebootService service = new RebootService();
        try (VarlinkServer server =
                VarlinkServer.builder()
                        .identity("Example", "reboot", "1", "https://example.org")
                        .service(Service.of(DEFINITION).method("Reboot", service::reboot).build())
                        .build()) {
            server.serve(
                    UnixListener.listen(
                            UnixAddress.path(Path.of(arguments[0])),
                            SocketType.STREAM,
                            BACKLOG,
                            EVERYBODY));
            System.out.println("ready");
            new CountDownLatch(1).await(); // until the process is killed
        }
    }

    private JsonObject reboot(Call call) {
        Peer peer = call.peer(); // owned by the connection: not to be closed
        String unit = call.parameters().string("unit");
        Decision decision = authority.check(peer, ACTION, Map.of("unit", unit)).join();
        if (!decision.isAuthorized()) {
            System.out.println("refused: " + decision.failure().orElse("not authorized"));
            throw VarlinkException.permissionDenied();
        }
        System.out.println("rebooted " + unit);
        return JsonObject.EMPTY;
    }
}
