#!/bin/sh
# A login: user, client, change (mandatory or optional) and oldest as the client has them; with peek=yes it changes
# nothing. Or: ask=retained, delete=user.
echo "Content-Type: text/plain"
echo
cd /data || exit 0
value() { echo "&$QUERY_STRING" | sed -n "s/.*&$1=\([^&]*\).*/\1/p"; }
is_admin() { grep -qx "$1" administrators; }
number() { echo "$1" | awk -F. '{ printf "%d%03d%03d\n", $1, $2, $3 }'; }
older() { [ "$(number "$1")" -lt "$(number "$2")" ]; }

user=$(value user) client=$(value client)
if [ "$(value ask)" = retained ]; then
    cat settings members
elif [ -n "$(value delete)" ]; then
    if is_admin "$(value delete)"; then rm -f stamversion && echo deleted; else echo "administrator needed"; fi
elif [ ! -e stamversion ] || older "$(cat stamversion)" "$client"; then
    if [ -e stamversion ] && [ "$(value change)" = optional ]; then
        echo "reduced: some features want the new configuration"
    elif is_admin "$user" && [ -z "$(value peek)" ]; then
        echo "$client" >stamversion
        value oldest >oldest
        echo "applied: configured for $client"
    else
        echo "administrator needed: the configuration is of $(cat stamversion 2>/dev/null || echo nobody)"
    fi
elif older "$client" "$(cat oldest)"; then
    echo "too old: this configuration is for $(cat oldest) and later"
else
    echo "ok"
fi
