# Sourced by up: a publisher takes a sample offer from draft to Live; a reviewer certifies it.
ada=(marketctl --as ada@contoso)
rita=(marketctl --as rita@marketplace --role reviewer)
oscar=(marketctl --as oscar@marketplace --role operator)
offer=contoso/grafana-hosted
samples=$repo/deploy/local/samples
step() { printf '\n\033[1;36m── %s\033[0m\n' "$*"; }
status() { "${ada[@]}" --output json status $offer | grep -o 'OFFER_STATUS_[A-Z_]*' | head -1; }

if ! "${ada[@]}" publisher show contoso >/dev/null 2>&1; then
  step "Oscar, an operator, enrols the publisher Contoso; Ada owns it"
  "${oscar[@]}" publisher create contoso --display-name Contoso --owner ada@contoso --owner-name 'Ada Larsen' \
    --enrolled --agreement-version 2026-01 --membership-active --vetting-authorized --tax-profile-valid --payout-profile-valid
fi
if ! "${ada[@]}" preferences show | grep -q '(verified)'; then
  step "Ada verifies the address that her notifications go to"
  "${ada[@]}" preferences set-email ada@contoso.example
  # The code is a line of its own in the newest verification mail.
  code() { grep -lsi '^To:.*ada@contoso.example' "$state"/mail/*.eml | xargs -r ls -t | head -1 | xargs -r grep -ohE '^[0-9a-f]{40}\s*$' | tr -d '\r' | head -1; }
  wait_for 15 "the verification mail" eval '[ -n "$(code)" ]' || die "no verification mail came, see $state/log/notification.log"
  "${ada[@]}" preferences verify "$(code)"
fi

step "Ada drafts an offer of every type from files"
"${ada[@]}" apply -f "$samples"

if [ "$(status)" != OFFER_STATUS_LIVE ]; then
  case $(status) in
    OFFER_STATUS_DRAFT | OFFER_STATUS_ATTENTION_NEEDED | '')
      step "Ada publishes $offer; its steps as they happen"
      "${ada[@]}" publish $offer --file "$samples/grafana-hosted/offer.yaml"
      ;;
  esac
  "${ada[@]}" watch $offer
  if [ "$(status)" = OFFER_STATUS_PREVIEW ]; then
    step "The preview is ready; Ada signs it off"
    "${ada[@]}" go-live $offer --acknowledge-warnings
    "${ada[@]}" watch $offer
  fi
  step "Rita, a reviewer, certifies it"
  "${rita[@]}" review list
  "${rita[@]}" review claim $offer
  "${rita[@]}" review approve $offer --pass-pending --notes 'Signed in, opened the demo dashboards, saw both alerts fire.'
  "${ada[@]}" watch $offer --until end
fi
[ "$(status)" = OFFER_STATUS_LIVE ] || die "$offer is not Live but $(status)"

step "What a customer reads"
marketctl listing $offer
step "Its history"
wait_for 10 "the history" eval '"${ada[@]}" history $offer | grep -q "Final publish"' || die "the history does not say that it was published"
"${ada[@]}" history $offer
step "The mails that were sent"
wait_for 10 "the mail that says it is live" eval 'grep -qisE "^Subject: .*live" "$state"/mail/*.eml' || die "no mail says that it is live"
for mail in $(ls -tr "$state"/mail/*.eml); do
  printf '%s\n' "$(grep -m1 -i '^Date:' "$mail" | tr -d '\r')  $(grep -m1 -i '^Subject:' "$mail" | tr -d '\r')"
done

step "It is Live, and everything goes on running."
cat <<END
Endpoints   offer-catalog 127.0.0.1:7001 · certification :7002 · publishing-pipeline :7003 · history :7004 · notification :7005
Files       logs $state/log · mails $state/mail · settings for marketctl and grpcurl: . $state/env
A token     $("${ada[@]}" token)

grpcurl -plaintext localhost:7001 list
grpcurl -plaintext -d '{"offer": "publishers/contoso/offers/grafana-hosted"}' localhost:7001 marketplace.offercatalog.v1.ListingService/GetListing
grpcurl -plaintext -H "authorization: Bearer \$(marketctl token --as ada@contoso)" -d '{"offer": "publishers/contoso/offers/grafana-hosted"}' localhost:7003 marketplace.publishing.v1.PublishingService/GetOfferOverview
END
