-- Kinds of assets that there are besides (LI-18).

ALTER TABLE offer_catalog.assets
  DROP CONSTRAINT assets_kind_check,
  ADD CONSTRAINT assets_kind_check CHECK (kind IN (
    'LOGO_LARGE', 'LOGO_MEDIUM', 'LOGO_SMALL', 'LOGO_WIDE', 'LOGO_HERO', 'SCREENSHOT', 'VIDEO_THUMBNAIL', 'DOCUMENT', 'PACKAGE'
  ));
