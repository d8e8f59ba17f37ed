# Units of an ordinary user without an account, for servers of Debian: ports above 1023, files in the home folder.
set -e
mkdir -p ~/.config/systemd/user ~/data
cd ~/.config/systemd/user
unit() {
    cat >"$1.service" <<END
[Service]
Type=$2
ExecStart=$3
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths=%h
CapabilityBoundingSet=
NoNewPrivileges=yes
END
}
unit redis notify '/usr/bin/redis-server --port 16379 --save "" --dir %h --supervised systemd'
unit memcached simple '/usr/bin/memcached -p 21211'
cat >~/nginx.conf <<END
daemon off; pid $HOME/nginx.pid; error_log stderr; events {}
http {
    access_log off; client_body_temp_path $HOME/b; proxy_temp_path $HOME/p; fastcgi_temp_path $HOME/f;
    uwsgi_temp_path $HOME/u; scgi_temp_path $HOME/s;
    server { listen 18080; return 200; }
}
END
unit nginx simple '/usr/sbin/nginx -e stderr -c %h/nginx.conf'
cat >~/apache.conf <<END
ServerRoot $HOME
ServerName plain
PidFile apache.pid
Listen 18081
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ErrorLog error.log
DefaultRuntimeDir $HOME
DocumentRoot $HOME
END
unit apache simple '/usr/sbin/apache2 -f %h/apache.conf -D FOREGROUND'
printf 'global\n stats socket %s/haproxy.sock\ndefaults\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nfrontend f\n mode tcp\n bind :18082\n' "$HOME" >~/haproxy.conf
unit haproxy notify '/usr/sbin/haproxy -Ws -f %h/haproxy.conf -p %h/haproxy.pid'
unit tor notify '/usr/bin/tor --ignore-missing-torrc -f %h/none --defaults-torrc %h/none --SocksPort 19050 --DataDirectory %h/data --RunAsDaemon 0'
unit mosquitto simple '/usr/sbin/mosquitto -p 11883'
unit node-exporter simple '/usr/bin/prometheus-node-exporter --web.listen-address=:19100'
printf 'server:\n username: ""\n chroot: ""\n directory: "%s"\n port: 15353\n interface: 127.0.0.1\n use-syslog: no\n pidfile: ""\nremote-control:\n control-enable: no\n' "$HOME" >~/unbound.conf
unit unbound notify '/usr/sbin/unbound -d -p -c %h/unbound.conf'
